status-starting = Iniciando.
status-stopped = Detenido.
status-connecting = Conectando con el servidor.
status-preparing = Preparando el modelo.
status-loading-stored = Cargando el modelo desde este dispositivo.
status-downloading = Descargando el modelo.
status-classifying = Clasificando la foto.
status-classifying-many = Clasificando las fotos.
status-scoring = Puntuando los hallazgos.
status-mapping = Calculando el mapa de la foto.
status-searching = Buscando en las fotos.
status-keeping-features = Conservando lo calculado.
status-encoding = Leyendo sus etiquetas.
status-loading-stored-text = Cargando la parte de texto del modelo desde este dispositivo.
status-downloading-text = Descargando la parte de texto del modelo.
status-fetching-sample = Descargando el ejemplo.
status-done = Hecho.
status-ready-for-labels = Listo: escriba sus etiquetas.
status-ready-for-photo = Listo: elija una foto.
amount-megabytes = { $done } de { $total } MB
amount-photos =
    { $n-total ->
        [one] { $n-done } de { $n-total } foto
       *[other] { $n-done } de { $n-total } fotos
    }
amount-labels =
    { $n-total ->
        [one] { $n-done } de { $n-total } etiqueta
       *[other] { $n-done } de { $n-total } etiquetas
    }
amount-sentences =
    { $n-total ->
        [one] { $n-done } de { $n-total } frase
       *[other] { $n-done } de { $n-total } frases
    }

threads-failed = El programa con varios hilos no arrancó en este navegador: el modelo usa un solo núcleo y va más lento.
untrained = Los pesos de este modelo no están entrenados.
untrained-meaning = Muestra cómo funciona la página; sus respuestas no significan nada.
try-again = Intentar otra vez
reload = Recargar la página
choose-other-photo = Elegir otra foto

answers = Respuestas
answers-list = Etiquetas, la más probable primero
answers-all =
    { $n-answers ->
        [one] Mostrar { $n-answers } respuesta
       *[other] Mostrar { $n-answers } respuestas
    }
answers-fewer = Mostrar menos
answered-here = Respondido en { $time } en este dispositivo.
answered-on-gpu = Respondido en { $time } en la GPU de este dispositivo.
answered-on-server = Respondido en { $time } en el servidor.
answered-from-kept = Respondido en { $time } con lo que se conservó en este dispositivo.
answered-gpu-note = Sobre la GPU, en inglés: { $note }

not-calibrated = Este modelo no está calibrado para estas etiquetas: los porcentajes solo las comparan entre sí y no dicen con qué frecuencia aciertan.
likely = Los porcentajes están calibrados: en fotos como las que se usaron para medir el modelo, las respuestas con un 80 % aciertan unas 80 veces de cada 100. Solo comparan estas etiquetas entre sí.
unsure = Dudoso: con este porcentaje, la primera etiqueta falla más veces de las que acierta.
none-of-these = Ninguna de estas: ninguna etiqueta de la lista encaja bien con esta foto. El orden solo dice cuál encaja menos mal.
unsure-in-short = dudoso
none-of-these-in-short = ninguna de estas

findings = Puntuar también los hallazgos
findings-hint = Lo que describiría un dermatólogo, como escamas o costras. El primer uso descarga la parte de texto del modelo.
findings-skincon = SkinCon, 32 hallazgos
findings-seven-point = Lista de 7 puntos (fotos de dermatoscopio)
findings-all = Mostrar todos los hallazgos
findings-fewer = Mostrar menos hallazgos
findings-meaning = Con 50, la foto se parece tanto a frases con el hallazgo como a las mismas frases sin él. Las puntuaciones son semejanzas; no son el motivo de las respuestas de arriba.
findings-typical-of = Marcar lo que es típico de
findings-typical = típico
findings-typical-meaning = «Típico» significa que los libros de texto nombran el hallazgo para { $label }; no es un criterio de diagnóstico. La puntuación dice cuánto se parece la foto al hallazgo.
findings-none-typical = No hay ninguna lista de hallazgos típicos de { $label }.

take-along = Llevarse las respuestas
take-print = Imprimir o guardar como PDF
take-save = Guardar como archivo
take-share = Compartir
take-not-shared = No se pudo compartir. Guárdelo como archivo o imprímalo.

report-disclaimer = Software de investigación, no un producto sanitario. Esto no es un diagnóstico: los porcentajes solo comparan estas etiquetas entre sí. Consulte a un médico por cualquier cosa de su piel que le preocupe.
report-more =
    { $n-more ->
        [one] … y { $n-more } etiqueta más
       *[other] … y { $n-more } etiquetas más
    }
report-date = Fecha
report-photo = Foto
report-size = { $n-width } × { $n-height } píxeles
report-seen = Visto por el modelo
report-whole-photo = La foto entera, ajustada de tamaño y centrada.
report-model = Modelo
report-weights = { $name } ({ $format }), pesos SHA-256 { $sha256 }
report-program = Programa
report-page = { $program }, página { $build }
report-page-and-server = { $program }, página { $build }, en { $server }

map = ¿Dónde se parece la foto a esto?
map-label = Una de las respuestas
map-label-show = Mostrar dónde
map-own = O palabras propias
map-own-hint = Por ejemplo, un hallazgo como «scale» (escama), en inglés. La primera vez se descarga la parte de texto del modelo.
map-own-show = Mostrar dónde se parece a estas palabras
map-frame = Mirar este lugar
map-hide = Ocultar el mapa
map-less = se parece menos
map-more = se parece más
map-meaning = Semejanza, no una razón: el mapa muestra qué lugares acercan los números del modelo para esta foto a los del texto. No dice por qué una respuesta es correcta, ni si lo es.
map-most = Lo más parecido a «{ $text }»: { $place }.
map-nowhere = Ningún lugar se parece más a «{ $text }» que a las otras etiquetas.
place-top-left = arriba a la izquierda
place-top = arriba
place-top-right = arriba a la derecha
place-left = a la izquierda
place-middle = en el centro
place-right = a la derecha
place-bottom-left = abajo a la izquierda
place-bottom = abajo
place-bottom-right = abajo a la derecha
