status-starting = Démarrage.
status-stopped = Arrêté.
status-connecting = Connexion au serveur.
status-preparing = Préparation du modèle.
status-loading-stored = Chargement du modèle depuis cet appareil.
status-downloading = Téléchargement du modèle.
status-classifying = Classement de la photo.
status-classifying-many = Classement des photos.
status-scoring = Évaluation des signes.
status-mapping = Calcul de la carte de la photo.
status-searching = Recherche dans les photos.
status-keeping-features = Conservation de ce qui a été calculé.
status-encoding = Lecture de vos libellés.
status-loading-stored-text = Chargement de la partie texte du modèle depuis cet appareil.
status-downloading-text = Téléchargement de la partie texte du modèle.
status-fetching-sample = Téléchargement de l'exemple.
status-done = Terminé.
status-ready-for-labels = Prêt : saisissez vos libellés.
status-ready-for-photo = Prêt : choisissez une photo.
amount-megabytes = { $done } sur { $total } Mo
amount-photos =
    { $n-done ->
        [one] { $n-done } photo sur { $n-total }
       *[other] { $n-done } photos sur { $n-total }
    }
amount-labels =
    { $n-done ->
        [one] { $n-done } libellé sur { $n-total }
       *[other] { $n-done } libellés sur { $n-total }
    }
amount-sentences =
    { $n-done ->
        [one] { $n-done } phrase sur { $n-total }
       *[other] { $n-done } phrases sur { $n-total }
    }

threads-failed = Le programme à plusieurs fils d'exécution n'a pas démarré dans ce navigateur : le modèle utilise un seul cœur et va plus lentement.
untrained = Les poids de ce modèle ne sont pas entraînés.
untrained-meaning = Il montre comment fonctionne la page ; ses réponses n'ont aucun sens.
try-again = Réessayer
reload = Recharger la page
choose-other-photo = Choisir une autre photo

answers = Réponses
answers-list = Libellés, le plus probable en premier
answers-all =
    { $n-answers ->
        [one] Afficher { $n-answers } réponse
       *[other] Afficher { $n-answers } réponses
    }
answers-fewer = Afficher moins
answered-here = Réponse en { $time } sur cet appareil.
answered-on-gpu = Réponse en { $time } sur le GPU de cet appareil.
answered-on-server = Réponse en { $time } sur le serveur.
answered-from-kept = Réponse en { $time } à partir de ce qui a été gardé sur cet appareil.
answered-gpu-note = À propos du GPU, en anglais : { $note }

not-calibrated = Ce modèle n'est pas calibré pour ces libellés : les pourcentages ne font que les comparer entre eux et ne disent pas s'ils sont souvent justes.
likely = Les pourcentages sont calibrés : sur des photos comme celles qui ont servi à mesurer le modèle, les réponses à 80 % sont justes environ 80 fois sur 100. Ils ne comparent que ces libellés entre eux.
unsure = Incertain : à ce pourcentage, le premier libellé est plus souvent faux que juste.
none-of-these = Aucun de ceux-ci : aucun libellé de la liste ne convient bien à cette photo. L'ordre dit seulement lequel convient le moins mal.
unsure-in-short = incertain
none-of-these-in-short = aucun de ceux-ci

findings = Évaluer aussi les signes
findings-hint = Ce qu'un dermatologue décrirait, comme des squames ou des croûtes. La première utilisation télécharge la partie texte du modèle.
findings-skincon = SkinCon, 32 signes
findings-seven-point = Liste en 7 points (photos au dermatoscope)
findings-all = Afficher tous les signes
findings-fewer = Afficher moins de signes
findings-meaning = À 50, la photo ressemble autant aux phrases avec le signe qu'aux mêmes phrases sans lui. Les valeurs sont des ressemblances ; elles ne sont pas la raison des réponses ci-dessus.
findings-typical-of = Marquer ce qui est typique de
findings-typical = typique
findings-typical-meaning = « Typique » signifie que les manuels citent le signe pour { $label } ; ce n'est pas un critère de diagnostic. La valeur dit à quel point la photo ressemble au signe.
findings-none-typical = Il n'y a pas de liste de signes typiques pour { $label }.

take-along = Emporter les réponses
take-print = Imprimer ou enregistrer en PDF
take-save = Enregistrer dans un fichier
take-share = Partager
take-not-shared = Le partage n'a pas réussi. Enregistrez les réponses dans un fichier ou imprimez-les.

report-disclaimer = Logiciel de recherche, pas un dispositif médical. Ceci n'est pas un diagnostic : les pourcentages ne font que comparer ces libellés entre eux. Consultez un médecin pour tout ce qui vous inquiète sur votre peau.
report-more =
    { $n-more ->
        [one] … et { $n-more } autre libellé
       *[other] … et { $n-more } autres libellés
    }
report-date = Date
report-photo = Photo
report-size = { $n-width } × { $n-height } pixels
report-seen = Vu par le modèle
report-whole-photo = La photo entière, mise à l'échelle et centrée.
report-model = Modèle
report-weights = { $name } ({ $format }), poids SHA-256 { $sha256 }
report-program = Programme
report-page = { $program }, page { $build }
report-page-and-server = { $program }, page { $build }, sur { $server }

map = Où la photo ressemble-t-elle à ceci ?
map-label = Une des réponses
map-label-show = Montrer où
map-own = Ou vos propres mots
map-own-hint = Par exemple un signe comme « scale » (squame), en anglais. La première fois, la partie texte du modèle est téléchargée.
map-own-show = Montrer où elle ressemble à ces mots
map-frame = Regarder cet endroit
map-hide = Masquer la carte
map-less = moins ressemblant
map-more = plus ressemblant
map-meaning = Une ressemblance, pas une raison : la carte montre quels endroits rapprochent les nombres du modèle pour cette photo de ceux du texte. Elle ne dit pas pourquoi une réponse est juste, ni si elle l’est.
map-most = Le plus ressemblant à « { $text } » : { $place }.
map-nowhere = Aucun endroit ne ressemble plus à « { $text } » qu'aux autres libellés.
place-top-left = en haut à gauche
place-top = en haut
place-top-right = en haut à droite
place-left = à gauche
place-middle = au milieu
place-right = à droite
place-bottom-left = en bas à gauche
place-bottom = en bas
place-bottom-right = en bas à droite
