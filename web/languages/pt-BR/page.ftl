page-title = Dermake: ordena rótulos para fotos de pele no seu próprio aparelho
page-subtitle = Ordena os rótulos que você escolhe pelo quanto combinam com uma foto de pele.
page-research = Software de pesquisa, não um dispositivo médico.
page-no-diagnosis = Ele não dá diagnóstico: se algo na sua pele preocupa você, mostre a um médico.
page-photo-stays = A foto fica neste aparelho.
page-photo-sent = A foto é enviada para { $server }.
page-runs-here = O modelo roda neste navegador. A página baixa só os próprios arquivos e não envia nada.
page-runs-on-server = O modelo roda no servidor, como você escolheu: os pixels de que ele precisa de cada foto são enviados para lá.
page-stores = Seus rótulos ficam guardados neste aparelho, e a foto também, até você fechar esta aba ou remover a foto.
page-offline = Guardado neste aparelho: esta página agora funciona sem internet.
page-offline-part = Guardado neste aparelho: esta página agora funciona sem internet, exceto com seus próprios rótulos: a parte do modelo de que eles precisam é baixada quando você os usar pela primeira vez.
page-licenses = Licenças desta página e do software que ela contém (em inglês)

language = Idioma
language-failed = Não foi possível baixar os textos neste idioma: { $language }. A página continua em português. Verifique a rede e escolha o idioma de novo.
