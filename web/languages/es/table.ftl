table = Fotos
table-done =
    { $n-files ->
        [one] { $n-done } de { $n-files } foto está lista.
       *[other] { $n-done } de { $n-files } fotos están listas.
    }
table-unfit =
    { $n-unfit ->
        [one] Ninguna de las etiquetas encaja con { $n-unfit } foto.
       *[other] Ninguna de las etiquetas encaja con { $n-unfit } fotos.
    }
table-refused =
    { $n-refused ->
        [one] { $n-refused } foto no se pudo responder; la tabla dice por qué.
       *[other] { $n-refused } fotos no se pudieron responder; la tabla dice por qué.
    }
table-filter = Mostrar archivos, etiquetas o problemas con
table-save-csv = Guardar como CSV
table-save-json = Guardar como JSON
table-close = Cerrar la tabla
table-answers = Respuestas de las fotos
table-file = Archivo
table-label = Primera etiqueta
table-percent = %
table-not-yet = aún no
table-pages = Páginas de la tabla
table-previous = Anterior
table-next = Siguiente
table-page =
    { $n-rows ->
        [one] Página { $n-page } de { $n-pages }, { $n-rows } fila
       *[other] Página { $n-page } de { $n-pages }, { $n-rows } filas
    }

table-search = Buscar en estas fotos
table-search-hint = Lo que debe verse, por ejemplo «a brown spot» (una mancha marrón), en inglés. La primera búsqueda descarga la parte de texto del modelo.
table-search-start = Buscar
table-search-end = Terminar la búsqueda
table-similarity = Similitud
table-like = Como esta foto
table-like-file = Como esta foto: { $file }
table-ordered = Ordenadas por similitud con «{ $searched }», la más similar primero.
table-compared = La tabla contiene la similitud con «{ $searched }».
table-most-similar = La más similar: { $file }.
table-keep = Conservar lo calculado en este dispositivo
table-keep-hint = Las mismas fotos llenan entonces una tabla sin calcularse otra vez, también en visitas posteriores. Se conservan los números que el modelo sacó de cada foto, no las fotos: como máximo { $n-megabytes } MB; los más antiguos se borran primero. Se borran al desactivarlo.
table-kept =
    { $n-kept ->
        [one] { $n-kept } de ellas se conservaba en este dispositivo y no se calculó otra vez.
       *[other] { $n-kept } de ellas se conservaban en este dispositivo y no se calcularon otra vez.
    }
table-kept-size = Conservado en este dispositivo: { $megabytes } MB.
table-kept-full = No queda espacio en este dispositivo para más. Conservado: { $megabytes } MB. Las demás fotos se calculan cada vez.
table-kept-unavailable = Este navegador no conserva archivos para esta página, como en una ventana privada. Las fotos se calculan cada vez.
