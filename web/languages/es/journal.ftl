journal = Diario
journal-hint = Las fotos que guarde aquí se quedan en este dispositivo, visibles para quien pueda usar este navegador, hasta que las borre. El diario guarda una foto solo si pulsa el botón.
journal-may-go = Este navegador puede borrar el diario: Safari lo hace tras una semana sin visitas, otros cuando el disco está lleno. Guárdelo como archivo o añada esta página a la pantalla de inicio.
journal-spot = ¿Qué lesión es?
journal-spot-example = lunar debajo del hombro izquierdo
journal-site = ¿En qué parte del cuerpo?
journal-site-none = sin indicar
journal-note = Nota
journal-keep = Guardar esta foto y sus respuestas
journal-unanswered = Esta foto se puede guardar en cuanto estén sus respuestas.
journal-no-picture = El navegador no tuvo memoria para una imagen de esta foto, así que no se puede guardar. Recargue la página y elija la foto otra vez.
journal-kept = Guardado en este dispositivo.
journal-deleted = Borrado.
journal-imported =
    { $n-photos ->
        [one] Se importó { $n-photos } foto.
       *[other] Se importaron { $n-photos } fotos.
    }
journal-saved =
    { $n-photos ->
        [one] Hay { $n-photos } foto en el archivo.
       *[other] Hay { $n-photos } fotos en el archivo.
    }
journal-left-out =
    { $n-entries ->
        [one] { $n-entries } entrada ya no tiene foto en este dispositivo y queda fuera.
       *[other] { $n-entries } entradas ya no tienen foto en este dispositivo y quedan fuera.
    }
journal-save = Guardar el diario como archivo
journal-open = Abrir un diario guardado
journal-delete-all = Borrar todo
journal-delete = Borrar el diario
journal-delete-question = ¿Borrar de este dispositivo todas las fotos del diario? También se borra lo que se conservó de las tablas de fotos. No se puede deshacer.
journal-delete-confirm = Borrar todas las fotos
journal-delete-cancel = Conservarlas
journal-compare = Comparar
journal-compare-photo = Comparar la foto del { $date }
journal-delete-entry = Borrar
journal-delete-photo = Borrar la foto del { $date }
journal-delete-entry-question = ¿Borrar de este dispositivo esta foto y sus respuestas? No se puede deshacer.
journal-delete-entry-confirm = Borrar la foto
journal-delete-entry-cancel = Conservarla
journal-site-and-note = { $site }: { $note }
comparison = Comparación de dos fotos
comparison-label = Etiqueta
comparison-missing = n/d
comparison-finding = Hallazgo
comparison-change = Cambio
comparison-findings = Los hallazgos que más cambiaron, sobre 100
comparison-no-findings = Los hallazgos se comparan si un mismo modelo los puntuó en las dos fotos antes de guardarlas.
comparison-other = Las dos se respondieron con otros modelos, otras etiquetas u otra calibración: no compare los números.
comparison-hint = La luz, la distancia y el ángulo también cambian los números. Mire las fotos, y muestre a un médico toda lesión que cambie.

site-head = cabeza
site-face = cara
site-neck = cuello
site-chest = pecho
site-abdomen = abdomen
site-back = espalda
site-buttocks = nalgas
site-genital-area = zona genital
site-left-arm = brazo izquierdo
site-right-arm = brazo derecho
site-left-hand = mano izquierda
site-right-hand = mano derecha
site-left-leg = pierna izquierda
site-right-leg = pierna derecha
site-left-foot = pie izquierdo
site-right-foot = pie derecho

figure-hint = O elíjala en la figura:
figure-front = De frente
figure-back = De espaldas
figure-left = izquierda
figure-right = derecha
figure-kept = Lesiones guardadas: { $sites }
figure-kept-site = { $site } ({ $n-spots })
