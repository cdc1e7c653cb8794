photo = Photo
photo-choose = Choisir une photo
photo-take = Prendre une photo
photo-remove = Retirer la photo
photo-none = Pas encore de photo
photo-many = Plusieurs photos
photo-folder = Un dossier
photo-back-to-table =
    { $n-files ->
        [one] Revenir au tableau de { $n-files } photo
       *[other] Revenir au tableau de { $n-files } photos
    }
photo-other-ways = Vous pouvez aussi déposer ou coller des photos ou un dossier n'importe où sur cette page.
photo-samples = Ou essayez un exemple dessiné :
photo-see-answers = Voir les réponses
photo-see-error = Voir le problème
photo-drop = Déposez des photos ou un dossier
photo-chosen = La photo choisie, { $name }

sample = Exemple : { $shows }
sample-spot = une tache brune ronde
sample-lesion = une lésion sombre irrégulière
sample-plaque = une plaque squameuse

photo-dark = La photo est sombre. Reprenez-la à la lumière du jour ou avec plus de lumière.
photo-blurred = La photo semble floue. Reprenez-la d'une main stable, ou d'un peu plus loin.
photo-few-pixels = Cette partie de la photo a peu de pixels. Reprenez la photo de plus près.

crop-begin = Cadrer la lésion
crop-size = Taille du carré
crop-smaller = Carré plus petit
crop-larger = Carré plus grand
crop-whole = Photo entière
crop-hint = Faites glisser le carré ou un coin, ou pincez.
crop-keys = À la souris : la molette. Au clavier : flèches, + et − ; Échap pour la photo entière.
crop-square = Le carré que le modèle regarde
crop-in-words = Un carré de { $n-side } × { $n-side } des { $n-width } × { $n-height } pixels de la photo, à { $n-left } du bord gauche et à { $n-top } du haut.
seen-of-photo = Ce que le modèle voit de la photo : { $n-side } × { $n-side } pixels.
seen-of-square = Ce que le modèle voit de ce carré : { $n-side } × { $n-side } pixels.

server = Calculer sur le serveur
server-hint = Pour les appareils lents. La photo quitte alors cet appareil : les pixels dont le modèle a besoin, un petit carré sans métadonnées, sont envoyés à { $server }.
