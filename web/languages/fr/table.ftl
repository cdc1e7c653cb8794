table = Photos
table-done =
    { $n-done ->
        [one] { $n-done } photo sur { $n-files } est traitée.
       *[other] { $n-done } photos sur { $n-files } sont traitées.
    }
table-unfit =
    { $n-unfit ->
        [one] Aucun des libellés ne convient à { $n-unfit } photo.
       *[other] Aucun des libellés ne convient à { $n-unfit } photos.
    }
table-refused =
    { $n-refused ->
        [one] { $n-refused } photo est restée sans réponse ; le tableau dit pourquoi.
       *[other] { $n-refused } photos sont restées sans réponse ; le tableau dit pourquoi.
    }
table-filter = Afficher les fichiers, libellés ou problèmes contenant
table-save-csv = Enregistrer en CSV
table-save-json = Enregistrer en JSON
table-close = Fermer le tableau
table-answers = Réponses pour les photos
table-file = Fichier
table-label = Premier libellé
table-percent = %
table-not-yet = pas encore
table-pages = Pages du tableau
table-previous = Précédente
table-next = Suivante
table-page =
    { $n-rows ->
        [one] Page { $n-page } sur { $n-pages }, { $n-rows } ligne
       *[other] Page { $n-page } sur { $n-pages }, { $n-rows } lignes
    }

table-search = Rechercher dans ces photos
table-search-hint = Ce que l’on doit voir, par exemple « a brown spot » (une tache brune), en anglais. La première recherche télécharge la partie texte du modèle.
table-search-start = Rechercher
table-search-end = Terminer la recherche
table-similarity = Similarité
table-like = Comme cette photo
table-like-file = Comme cette photo : { $file }
table-ordered = Classées par similarité avec « { $searched } », la plus semblable d’abord.
table-compared = Le tableau contient la similarité avec « { $searched } ».
table-most-similar = La plus semblable : { $file }.
table-keep = Garder sur cet appareil ce qui a été calculé
table-keep-hint = Les mêmes photos remplissent alors un tableau sans être calculées de nouveau, lors de visites ultérieures aussi. Sont gardés les nombres que le modèle a tirés de chaque photo, pas les photos : au plus { $n-megabytes } Mo, les plus anciens partent d'abord. Ils sont supprimés quand vous désactivez ceci.
table-kept =
    { $n-kept ->
        [one] { $n-kept } d'entre elles était gardée sur cet appareil et n'a pas été calculée de nouveau.
       *[other] { $n-kept } d'entre elles étaient gardées sur cet appareil et n'ont pas été calculées de nouveau.
    }
table-kept-size = Gardé sur cet appareil : { $megabytes } Mo.
table-kept-full = Il n'y a plus de place sur cet appareil. Gardé : { $megabytes } Mo. Les autres photos sont calculées chaque fois.
table-kept-unavailable = Ce navigateur ne garde pas de fichiers pour cette page, comme dans une fenêtre privée. Les photos sont calculées chaque fois.
