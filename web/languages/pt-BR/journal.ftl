journal = Diário
journal-hint = As fotos que você guardar aqui ficam neste aparelho, visíveis para todos que podem usar este navegador, até você apagá-las. O diário só guarda uma foto se você apertar o botão.
journal-may-go = Este navegador pode apagar o diário: o Safari faz isso depois de uma semana sem visitas, outros quando o disco está cheio. Salve-o como arquivo ou adicione esta página à tela inicial.
journal-spot = Qual lesão é?
journal-spot-example = pinta abaixo do ombro esquerdo
journal-site = Em que parte do corpo?
journal-site-none = não informado
journal-note = Nota
journal-keep = Guardar esta foto e suas respostas
journal-unanswered = Esta foto poderá ser guardada assim que suas respostas estiverem aqui.
journal-no-picture = O navegador não teve memória para uma imagem desta foto, por isso ela não pode ser guardada. Recarregue a página e escolha a foto outra vez.
journal-kept = Guardado neste aparelho.
journal-deleted = Apagado.
journal-imported =
    { $n-photos ->
        [one] { $n-photos } foto foi importada.
       *[other] { $n-photos } fotos foram importadas.
    }
journal-saved =
    { $n-photos ->
        [one] { $n-photos } foto está no arquivo.
       *[other] { $n-photos } fotos estão no arquivo.
    }
journal-left-out =
    { $n-entries ->
        [one] { $n-entries } registro não tem mais foto neste aparelho e ficou de fora.
       *[other] { $n-entries } registros não têm mais foto neste aparelho e ficaram de fora.
    }
journal-save = Salvar o diário como arquivo
journal-open = Abrir um diário salvo
journal-delete-all = Apagar tudo
journal-delete = Apagar o diário
journal-delete-question = Apagar deste aparelho todas as fotos do diário? O que foi guardado de tabelas de fotos também é apagado. Isso não pode ser desfeito.
journal-delete-confirm = Apagar todas as fotos
journal-delete-cancel = Manter
journal-compare = Comparar
journal-compare-photo = Comparar a foto de { $date }
journal-delete-entry = Apagar
journal-delete-photo = Apagar a foto de { $date }
journal-delete-entry-question = Apagar deste aparelho esta foto e as respostas dela? Isso não pode ser desfeito.
journal-delete-entry-confirm = Apagar a foto
journal-delete-entry-cancel = Manter
journal-site-and-note = { $site }: { $note }
comparison = Duas fotos comparadas
comparison-label = Rótulo
comparison-missing = n/d
comparison-finding = Achado
comparison-change = Mudança
comparison-findings = Os achados que mais mudaram, de 0 a 100
comparison-no-findings = Os achados são comparados se um mesmo modelo os pontuou nas duas fotos antes de elas serem guardadas.
comparison-other = As duas foram respondidas com outros modelos, outros rótulos ou outra calibração: não compare os números.
comparison-hint = Luz, distância e ângulo também mudam os números. Olhe as fotos, e mostre a um médico toda lesão que muda.

site-head = cabeça
site-face = rosto
site-neck = pescoço
site-chest = peito
site-abdomen = abdômen
site-back = costas
site-buttocks = nádegas
site-genital-area = região genital
site-left-arm = braço esquerdo
site-right-arm = braço direito
site-left-hand = mão esquerda
site-right-hand = mão direita
site-left-leg = perna esquerda
site-right-leg = perna direita
site-left-foot = pé esquerdo
site-right-foot = pé direito

figure-hint = Ou escolha-a na figura:
figure-front = De frente
figure-back = De costas
figure-left = esquerda
figure-right = direita
figure-kept = Lesões guardadas: { $sites }
figure-kept-site = { $site } ({ $n-spots })
