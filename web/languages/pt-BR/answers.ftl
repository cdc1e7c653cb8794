status-starting = Iniciando.
status-stopped = Parado.
status-connecting = Conectando ao servidor.
status-preparing = Preparando o modelo.
status-loading-stored = Carregando o modelo deste aparelho.
status-downloading = Baixando o modelo.
status-classifying = Classificando a foto.
status-classifying-many = Classificando as fotos.
status-scoring = Pontuando os achados.
status-mapping = Calculando o mapa da foto.
status-searching = Pesquisando nas fotos.
status-keeping-features = Guardando o que foi calculado.
status-encoding = Lendo seus rótulos.
status-loading-stored-text = Carregando a parte de texto do modelo deste aparelho.
status-downloading-text = Baixando a parte de texto do modelo.
status-fetching-sample = Baixando o exemplo.
status-done = Pronto.
status-ready-for-labels = Pronto: digite seus rótulos.
status-ready-for-photo = Pronto: escolha uma foto.
amount-megabytes = { $done } de { $total } MB
amount-photos =
    { $n-total ->
        [one] { $n-done } de { $n-total } foto
       *[other] { $n-done } de { $n-total } fotos
    }
amount-labels =
    { $n-total ->
        [one] { $n-done } de { $n-total } rótulo
       *[other] { $n-done } de { $n-total } rótulos
    }
amount-sentences =
    { $n-total ->
        [one] { $n-done } de { $n-total } frase
       *[other] { $n-done } de { $n-total } frases
    }

threads-failed = O programa com várias threads não iniciou neste navegador: o modelo usa um só núcleo e fica mais lento.
untrained = Os pesos deste modelo não foram treinados.
untrained-meaning = Ele mostra como a página funciona; suas respostas não significam nada.
try-again = Tentar de novo
reload = Recarregar a página
choose-other-photo = Escolher outra foto

answers = Respostas
answers-list = Rótulos, o mais provável primeiro
answers-all =
    { $n-answers ->
        [one] Mostrar { $n-answers } resposta
       *[other] Mostrar { $n-answers } respostas
    }
answers-fewer = Mostrar menos
answered-here = Respondido em { $time } neste aparelho.
answered-on-gpu = Respondido em { $time } na GPU deste aparelho.
answered-on-server = Respondido em { $time } no servidor.
answered-from-kept = Respondido em { $time } com o que foi guardado neste aparelho.
answered-gpu-note = Sobre a GPU, em inglês: { $note }

not-calibrated = Este modelo não está calibrado para estes rótulos: as porcentagens só os comparam entre si e não dizem com que frequência acertam.
likely = As porcentagens estão calibradas: em fotos como as que serviram para medir o modelo, respostas com 80 % acertam cerca de 80 vezes em 100. Elas só comparam estes rótulos entre si.
unsure = Incerto: com esta porcentagem, o primeiro rótulo erra mais vezes do que acerta.
none-of-these = Nenhum destes: nenhum rótulo da lista combina bem com esta foto. A ordem só diz qual combina menos mal.
unsure-in-short = incerto
none-of-these-in-short = nenhum destes

findings = Pontuar também os achados
findings-hint = O que um dermatologista descreveria, como escamas ou crostas. O primeiro uso baixa a parte de texto do modelo.
findings-skincon = SkinCon, 32 achados
findings-seven-point = Lista de 7 pontos (fotos de dermatoscópio)
findings-all = Mostrar todos os achados
findings-fewer = Mostrar menos achados
findings-meaning = Com 50, a foto se parece tanto com frases com o achado quanto com as mesmas frases sem ele. As pontuações são semelhanças; não são o motivo das respostas acima.
findings-typical-of = Marcar o que é típico de
findings-typical = típico
findings-typical-meaning = “Típico” significa que os livros-texto citam o achado para { $label }; não é um critério de diagnóstico. A pontuação diz o quanto a foto se parece com o achado.
findings-none-typical = Não há lista de achados típicos de { $label }.

take-along = Levar as respostas
take-print = Imprimir ou salvar como PDF
take-save = Salvar como arquivo
take-share = Compartilhar
take-not-shared = Não foi possível compartilhar. Salve como arquivo ou imprima.

report-disclaimer = Software de pesquisa, não um dispositivo médico. Isto não é um diagnóstico: as porcentagens só comparam estes rótulos entre si. Procure um médico por qualquer coisa na sua pele que preocupe você.
report-more =
    { $n-more ->
        [one] … e mais { $n-more } rótulo
       *[other] … e mais { $n-more } rótulos
    }
report-date = Data
report-photo = Foto
report-size = { $n-width } × { $n-height } pixels
report-seen = Visto pelo modelo
report-whole-photo = A foto inteira, redimensionada e centralizada.
report-model = Modelo
report-weights = { $name } ({ $format }), pesos SHA-256 { $sha256 }
report-program = Programa
report-page = { $program }, página { $build }
report-page-and-server = { $program }, página { $build }, em { $server }

map = Onde a foto se parece com isto?
map-label = Uma das respostas
map-label-show = Mostrar onde
map-own = Ou palavras suas
map-own-hint = Por exemplo, um achado como “scale” (escama), em inglês. Na primeira vez, a parte de texto do modelo é baixada.
map-own-show = Mostrar onde se parece com estas palavras
map-frame = Olhar para este lugar
map-hide = Ocultar o mapa
map-less = menos parecido
map-more = mais parecido
map-meaning = Semelhança, não uma razão: o mapa mostra quais lugares aproximam os números do modelo para esta foto dos números do texto. Ele não diz por que uma resposta está certa, nem se está.
map-most = Mais parecido com “{ $text }”: { $place }.
map-nowhere = Nenhum lugar se parece mais com “{ $text }” do que com os outros rótulos.
place-top-left = no alto à esquerda
place-top = no alto
place-top-right = no alto à direita
place-left = à esquerda
place-middle = no meio
place-right = à direita
place-bottom-left = embaixo à esquerda
place-bottom = embaixo
place-bottom-right = embaixo à direita
