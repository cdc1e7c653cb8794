journal = Journal
journal-hint = Les photos que vous gardez ici restent sur cet appareil, visibles pour toute personne qui peut utiliser ce navigateur, jusqu'à ce que vous les supprimiez. Le journal ne garde une photo que si vous appuyez sur le bouton.
journal-may-go = Ce navigateur peut supprimer le journal : Safari le fait après une semaine sans visite, d'autres quand le disque est plein. Enregistrez-le dans un fichier, ou ajoutez cette page à l'écran d'accueil.
journal-spot = De quelle lésion s'agit-il ?
journal-spot-example = grain de beauté sous l'épaule gauche
journal-site = À quel endroit du corps ?
journal-site-none = non précisé
journal-note = Note
journal-keep = Garder cette photo et ses réponses
journal-unanswered = Cette photo pourra être gardée dès que ses réponses seront là.
journal-no-picture = Le navigateur n'a pas eu assez de mémoire pour une image de cette photo, qui ne peut donc pas être gardée. Rechargez la page, puis choisissez de nouveau la photo.
journal-kept = Gardé sur cet appareil.
journal-deleted = Supprimé.
journal-imported =
    { $n-photos ->
        [one] { $n-photos } photo a été importée.
       *[other] { $n-photos } photos ont été importées.
    }
journal-saved =
    { $n-photos ->
        [one] { $n-photos } photo est dans le fichier.
       *[other] { $n-photos } photos sont dans le fichier.
    }
journal-left-out =
    { $n-entries ->
        [one] { $n-entries } entrée n’a plus de photo sur cet appareil et n’y figure pas.
       *[other] { $n-entries } entrées n’ont plus de photo sur cet appareil et n’y figurent pas.
    }
journal-save = Enregistrer le journal dans un fichier
journal-open = Ouvrir un journal enregistré
journal-delete-all = Tout supprimer
journal-delete = Supprimer le journal
journal-delete-question = Supprimer de cet appareil toutes les photos du journal ? Ce qui a été gardé des tableaux de photos est supprimé aussi. C'est irréversible.
journal-delete-confirm = Supprimer toutes les photos
journal-delete-cancel = Les garder
journal-compare = Comparer
journal-compare-photo = Comparer la photo du { $date }
journal-delete-entry = Supprimer
journal-delete-photo = Supprimer la photo du { $date }
journal-delete-entry-question = Supprimer de cet appareil cette photo et ses réponses ? C'est irréversible.
journal-delete-entry-confirm = Supprimer la photo
journal-delete-entry-cancel = La garder
journal-site-and-note = { $site } : { $note }
comparison = Deux photos comparées
comparison-label = Libellé
comparison-missing = n. d.
comparison-finding = Signe
comparison-change = Écart
comparison-findings = Les signes qui ont le plus changé, sur 100
comparison-no-findings = Les signes sont comparés si un même modèle les a évalués sur les deux photos avant que vous ne les gardiez.
comparison-other = Les deux photos ont été traitées avec d'autres modèles, d'autres libellés ou une autre calibration : ne comparez pas les chiffres.
comparison-hint = La lumière, la distance et l'angle changent aussi les chiffres. Regardez les photos, et montrez à un médecin toute lésion qui change.

site-head = tête
site-face = visage
site-neck = cou
site-chest = poitrine
site-abdomen = ventre
site-back = dos
site-buttocks = fesses
site-genital-area = région génitale
site-left-arm = bras gauche
site-right-arm = bras droit
site-left-hand = main gauche
site-right-hand = main droite
site-left-leg = jambe gauche
site-right-leg = jambe droite
site-left-foot = pied gauche
site-right-foot = pied droit

figure-hint = Ou choisissez-le sur la figure :
figure-front = De face
figure-back = De dos
figure-left = gauche
figure-right = droite
figure-kept = Lésions gardées : { $sites }
figure-kept-site = { $site } ({ $n-spots })
