page-title = Dermake : classe des libellés pour des photos de peau, sur votre propre appareil
page-subtitle = Classe les libellés que vous choisissez selon leur accord avec une photo de peau.
page-research = Logiciel de recherche, pas un dispositif médical.
page-no-diagnosis = Il ne pose aucun diagnostic : si quelque chose sur votre peau vous inquiète, montrez-le à un médecin.
page-photo-stays = La photo reste sur cet appareil.
page-photo-sent = La photo est envoyée à { $server }.
page-runs-here = Le modèle fonctionne dans ce navigateur. La page ne télécharge que ses propres fichiers et n'envoie rien.
page-runs-on-server = Le modèle fonctionne sur le serveur, comme vous l'avez choisi : les pixels dont il a besoin pour chaque photo y sont envoyés.
page-stores = Vos libellés sont conservés sur cet appareil, et la photo aussi, jusqu'à ce que vous fermiez cet onglet ou la retiriez.
page-offline = Enregistré sur cet appareil : cette page fonctionne maintenant hors connexion.
page-offline-part = Enregistré sur cet appareil : cette page fonctionne maintenant hors connexion, sauf avec vos propres libellés : la partie du modèle dont ils ont besoin est téléchargée lors de leur première utilisation.
page-licenses = Licences de cette page et des logiciels qu'elle contient (en anglais)

language = Langue
language-failed = Les textes dans cette langue n'ont pas pu être téléchargés : { $language }. La page reste en français. Vérifiez le réseau, puis choisissez de nouveau la langue.
