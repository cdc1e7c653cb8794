photo = Foto
photo-choose = Escolher uma foto
photo-take = Tirar uma foto
photo-remove = Remover a foto
photo-none = Ainda não há foto
photo-many = Muitas fotos
photo-folder = Uma pasta
photo-back-to-table =
    { $n-files ->
        [one] Voltar à tabela de { $n-files } foto
       *[other] Voltar à tabela de { $n-files } fotos
    }
photo-other-ways = Você também pode soltar ou colar fotos ou uma pasta em qualquer lugar desta página.
photo-samples = Ou experimente um exemplo desenhado:
photo-see-answers = Ver as respostas
photo-see-error = Ver o problema
photo-drop = Solte fotos ou uma pasta
photo-chosen = A foto escolhida, { $name }

sample = Exemplo: { $shows }
sample-spot = uma mancha marrom redonda
sample-lesion = uma lesão escura irregular
sample-plaque = uma placa com escamas

photo-dark = A foto está escura. Tire de novo à luz do dia ou com mais luz.
photo-blurred = A foto parece desfocada. Tire de novo com a mão firme ou de um pouco mais longe.
photo-few-pixels = Esta parte da foto tem poucos pixels. Tire a foto de novo mais de perto.

crop-begin = Enquadrar a lesão
crop-size = Tamanho do quadrado
crop-smaller = Quadrado menor
crop-larger = Quadrado maior
crop-whole = Foto inteira
crop-hint = Arraste o quadrado ou um canto, ou faça o gesto de pinça.
crop-keys = Com o mouse: a roda. Com o teclado: setas, + e −; Esc para a foto inteira.
crop-square = O quadrado que o modelo olha
crop-in-words = Um quadrado de { $n-side } × { $n-side } dos { $n-width } × { $n-height } pixels da foto, a { $n-left } da borda esquerda e a { $n-top } do topo.
seen-of-photo = O que o modelo vê da foto: { $n-side } × { $n-side } pixels.
seen-of-square = O que o modelo vê deste quadrado: { $n-side } × { $n-side } pixels.

server = Calcular no servidor
server-hint = Para aparelhos lentos. A foto então sai deste aparelho: os pixels de que o modelo precisa, um pequeno quadrado sem metadados, são enviados para { $server }.
