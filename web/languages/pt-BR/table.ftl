table = Fotos
table-done =
    { $n-files ->
        [one] { $n-done } de { $n-files } foto está pronta.
       *[other] { $n-done } de { $n-files } fotos estão prontas.
    }
table-unfit =
    { $n-unfit ->
        [one] Nenhum dos rótulos combina com { $n-unfit } foto.
       *[other] Nenhum dos rótulos combina com { $n-unfit } fotos.
    }
table-refused =
    { $n-refused ->
        [one] { $n-refused } foto ficou sem resposta; a tabela diz por quê.
       *[other] { $n-refused } fotos ficaram sem resposta; a tabela diz por quê.
    }
table-filter = Mostrar arquivos, rótulos ou problemas com
table-save-csv = Salvar como CSV
table-save-json = Salvar como JSON
table-close = Fechar a tabela
table-answers = Respostas das fotos
table-file = Arquivo
table-label = Primeiro rótulo
table-percent = %
table-not-yet = ainda não
table-pages = Páginas da tabela
table-previous = Anterior
table-next = Próxima
table-page =
    { $n-rows ->
        [one] Página { $n-page } de { $n-pages }, { $n-rows } linha
       *[other] Página { $n-page } de { $n-pages }, { $n-rows } linhas
    }

table-search = Pesquisar nestas fotos
table-search-hint = O que deve ser visto, por exemplo “a brown spot” (uma mancha marrom), em inglês. A primeira pesquisa baixa a parte de texto do modelo.
table-search-start = Pesquisar
table-search-end = Encerrar a pesquisa
table-similarity = Similaridade
table-like = Como esta foto
table-like-file = Como esta foto: { $file }
table-ordered = Ordenadas pela similaridade com “{ $searched }”, a mais semelhante primeiro.
table-compared = A tabela contém a similaridade com “{ $searched }”.
table-most-similar = A mais semelhante: { $file }.
table-keep = Guardar neste aparelho o que foi calculado
table-keep-hint = As mesmas fotos então preenchem uma tabela sem serem calculadas de novo, também em visitas posteriores. São guardados os números que o modelo tirou de cada foto, não as fotos: no máximo { $n-megabytes } MB; os mais antigos saem primeiro. Eles são apagados quando você desliga isto.
table-kept =
    { $n-kept ->
        [one] { $n-kept } delas estava guardada neste aparelho e não foi calculada de novo.
       *[other] { $n-kept } delas estavam guardadas neste aparelho e não foram calculadas de novo.
    }
table-kept-size = Guardado neste aparelho: { $megabytes } MB.
table-kept-full = Não há espaço neste aparelho para mais. Guardado: { $megabytes } MB. As outras fotos são calculadas a cada vez.
table-kept-unavailable = Este navegador não guarda arquivos para esta página, como em uma janela privada. As fotos são calculadas a cada vez.
