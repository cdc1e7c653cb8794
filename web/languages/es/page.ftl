page-title = Dermake: ordena etiquetas para fotos de piel en su propio dispositivo
page-subtitle = Ordena las etiquetas que usted elige según lo bien que encajan con una foto de piel.
page-research = Software de investigación, no un producto sanitario.
page-no-diagnosis = No da ningún diagnóstico: si algo en su piel le preocupa, muéstrelo a un médico.
page-photo-stays = La foto se queda en este dispositivo.
page-photo-sent = La foto se envía a { $server }.
page-runs-here = El modelo funciona en este navegador. La página solo descarga sus propios archivos y no envía nada.
page-runs-on-server = El modelo funciona en el servidor, como usted eligió: los píxeles que necesita de cada foto se envían allí.
page-stores = Sus etiquetas se guardan en este dispositivo, y también la foto, hasta que cierre esta pestaña o la quite.
page-offline = Guardado en este dispositivo: esta página ya funciona sin conexión.
page-offline-part = Guardado en este dispositivo: esta página ya funciona sin conexión, excepto con sus propias etiquetas: la parte del modelo que necesitan se descarga cuando las use por primera vez.
page-licenses = Licencias de esta página y del software que contiene (en inglés)

language = Idioma
language-failed = No se pudieron descargar los textos en este idioma: { $language }. La página sigue en español. Compruebe la red y elija el idioma otra vez.
