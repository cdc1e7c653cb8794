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
table-percent = Porcentaje
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
