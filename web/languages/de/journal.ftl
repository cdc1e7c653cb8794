journal = Tagebuch
journal-hint = Fotos, die Sie hier behalten, bleiben auf diesem Gerät, sichtbar für alle, die diesen Browser benutzen können, bis Sie sie löschen. Das Tagebuch behält ein Foto nur, wenn Sie auf den Knopf drücken.
journal-may-go = Dieser Browser kann das Tagebuch löschen: Safari tut es nach einer Woche ohne Besuch, andere, wenn der Speicher voll ist. Speichern Sie es als Datei, oder legen Sie diese Seite auf den Home-Bildschirm.
journal-spot = Welche Stelle ist es?
journal-spot-example = Muttermal unter der linken Schulter
journal-site = Wo am Körper?
journal-site-none = keine Angabe
journal-note = Notiz
journal-keep = Dieses Foto und seine Antworten behalten
journal-unanswered = Dieses Foto kann behalten werden, sobald seine Antworten da sind.
journal-no-picture = Dem Browser fehlte der Speicher für ein Bild dieses Fotos; es kann daher nicht behalten werden. Laden Sie die Seite neu, und wählen Sie das Foto noch einmal.
journal-kept = Auf diesem Gerät gespeichert.
journal-deleted = Gelöscht.
journal-imported =
    { $n-photos ->
        [one] { $n-photos } Foto wurde übernommen.
       *[other] { $n-photos } Fotos wurden übernommen.
    }
journal-saved =
    { $n-photos ->
        [one] { $n-photos } Foto ist in der Datei.
       *[other] { $n-photos } Fotos sind in der Datei.
    }
journal-left-out =
    { $n-entries ->
        [one] { $n-entries } Eintrag hat kein Foto mehr auf diesem Gerät und fehlt darin.
       *[other] { $n-entries } Einträge haben kein Foto mehr auf diesem Gerät und fehlen darin.
    }
journal-save = Tagebuch als Datei speichern
journal-open = Gespeichertes Tagebuch öffnen
journal-delete-all = Alle löschen
journal-delete = Tagebuch löschen
journal-delete-question = Alle Fotos des Tagebuchs von diesem Gerät löschen? Was von Tabellen mit Fotos behalten wurde, wird ebenfalls gelöscht. Das lässt sich nicht rückgängig machen.
journal-delete-confirm = Alle Fotos löschen
journal-delete-cancel = Behalten
journal-compare = Vergleichen
journal-compare-photo = Foto vom { $date } vergleichen
journal-delete-entry = Löschen
journal-delete-photo = Foto vom { $date } löschen
journal-delete-entry-question = Dieses Foto und seine Antworten von diesem Gerät löschen? Das lässt sich nicht rückgängig machen.
journal-delete-entry-confirm = Foto löschen
journal-delete-entry-cancel = Behalten
journal-site-and-note = { $site }: { $note }
comparison = Zwei Fotos im Vergleich
comparison-label = Bezeichnung
comparison-missing = k. A.
comparison-finding = Befund
comparison-change = Änderung
comparison-findings = Die Befunde, die sich am stärksten verändert haben, von 100
comparison-no-findings = Befunde werden verglichen, wenn ein und dasselbe Modell sie für beide Fotos bewertet hat, bevor diese behalten wurden.
comparison-other = Die beiden wurden mit anderen Modellen, anderen Bezeichnungen oder einer anderen Kalibrierung beantwortet: Vergleichen Sie die Zahlen nicht.
comparison-hint = Auch Licht, Abstand und Winkel verändern die Zahlen. Sehen Sie sich die Fotos an, und zeigen Sie eine Stelle, die sich verändert, einer Ärztin oder einem Arzt.

site-head = Kopf
site-face = Gesicht
site-neck = Hals
site-chest = Brust
site-abdomen = Bauch
site-back = Rücken
site-buttocks = Gesäß
site-genital-area = Genitalbereich
site-left-arm = linker Arm
site-right-arm = rechter Arm
site-left-hand = linke Hand
site-right-hand = rechte Hand
site-left-leg = linkes Bein
site-right-leg = rechtes Bein
site-left-foot = linker Fuß
site-right-foot = rechter Fuß

figure-hint = Oder wählen Sie die Stelle an der Figur:
figure-front = Von vorn
figure-back = Von hinten
figure-left = links
figure-right = rechts
figure-kept = Behaltene Stellen: { $sites }
figure-kept-site = { $site } ({ $n-spots })
