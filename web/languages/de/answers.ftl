status-starting = Startet.
status-stopped = Angehalten.
status-connecting = Verbindet mit dem Server.
status-preparing = Bereitet das Modell vor.
status-loading-stored = Liest das Modell von diesem Gerät.
status-downloading = Lädt das Modell herunter.
status-classifying = Ordnet das Foto ein.
status-classifying-many = Ordnet die Fotos ein.
status-scoring = Bewertet Befunde.
status-mapping = Die Karte des Fotos wird berechnet.
status-searching = Die Fotos werden durchsucht.
status-keeping-features = Das Berechnete wird behalten.
status-encoding = Liest Ihre Bezeichnungen.
status-loading-stored-text = Liest den Textteil des Modells von diesem Gerät.
status-downloading-text = Lädt den Textteil des Modells herunter.
status-fetching-sample = Lädt das Beispiel.
status-done = Fertig.
status-ready-for-labels = Bereit: Geben Sie Ihre Bezeichnungen ein.
status-ready-for-photo = Bereit: Wählen Sie ein Foto aus.
amount-megabytes = { $done } von { $total } MB
amount-photos =
    { $n-total ->
        [one] { $n-done } von { $n-total } Foto
       *[other] { $n-done } von { $n-total } Fotos
    }
amount-labels =
    { $n-total ->
        [one] { $n-done } von { $n-total } Bezeichnung
       *[other] { $n-done } von { $n-total } Bezeichnungen
    }
amount-sentences =
    { $n-total ->
        [one] { $n-done } von { $n-total } Satz
       *[other] { $n-done } von { $n-total } Sätzen
    }

threads-failed = Das Programm für mehrere Prozessorkerne ist in diesem Browser nicht gestartet: Das Modell läuft auf einem Kern, also langsamer.
untrained = Die Gewichte dieses Modells sind nicht trainiert.
untrained-meaning = Es zeigt, wie die Seite funktioniert; seine Antworten haben keine Bedeutung.
try-again = Noch einmal versuchen
reload = Seite neu laden
choose-other-photo = Anderes Foto auswählen

answers = Antworten
answers-list = Bezeichnungen, die wahrscheinlichste zuerst
answers-all =
    { $n-answers ->
        [one] { $n-answers } Antwort zeigen
       *[other] { $n-answers } Antworten zeigen
    }
answers-fewer = Weniger zeigen
answered-here = In { $time } auf diesem Gerät beantwortet.
answered-on-gpu = In { $time } auf der GPU dieses Geräts beantwortet.
answered-on-server = In { $time } auf dem Server beantwortet.
answered-from-kept = In { $time } aus dem beantwortet, was auf diesem Gerät behalten wurde.
answered-gpu-note = Zur GPU, auf Englisch: { $note }

not-calibrated = Dieses Modell ist für diese Bezeichnungen nicht kalibriert: Die Prozentwerte vergleichen sie nur miteinander und sagen nicht, wie oft sie stimmen.
likely = Die Prozentwerte sind kalibriert: Bei Fotos wie denen, mit denen das Modell gemessen wurde, stimmen Antworten mit 80 % etwa 80-mal von 100. Sie vergleichen nur diese Bezeichnungen miteinander.
unsure = Unsicher: Bei diesem Prozentwert ist die erste Bezeichnung öfter falsch als richtig.
none-of-these = Keine davon: Keine Bezeichnung der Liste passt gut zu diesem Foto. Die Reihenfolge sagt nur, welche am wenigsten schlecht passt.
unsure-in-short = unsicher
none-of-these-in-short = keine davon

findings = Auch Befunde bewerten
findings-hint = Was eine Hautärztin oder ein Hautarzt beschreiben würde, etwa Schuppen oder Krusten. Bei der ersten Verwendung wird der Textteil des Modells geladen.
findings-skincon = SkinCon, 32 Befunde
findings-seven-point = 7-Punkte-Checkliste (dermatoskopische Fotos)
findings-all = Alle Befunde zeigen
findings-fewer = Weniger Befunde zeigen
findings-meaning = Bei 50 ähnelt das Foto Sätzen mit dem Befund genauso wie denselben Sätzen ohne ihn. Die Werte sind Ähnlichkeiten; sie sind nicht der Grund für die Antworten oben.
findings-typical-of = Kennzeichnen, was typisch ist für
findings-typical = typisch
findings-typical-meaning = „Typisch“ heißt: Lehrbücher nennen den Befund bei { $label }; es ist kein Kriterium einer Diagnose. Der Wert sagt, wie sehr das Foto dem Befund ähnelt.
findings-none-typical = Für { $label } gibt es keine Liste typischer Befunde.

take-along = Antworten mitnehmen
take-print = Drucken oder als PDF speichern
take-save = Als Datei speichern
take-share = Teilen
take-not-shared = Das konnte nicht geteilt werden. Speichern Sie es als Datei oder drucken Sie es.

report-disclaimer = Forschungssoftware, kein Medizinprodukt. Dies ist keine Diagnose: Die Prozentwerte vergleichen nur diese Bezeichnungen miteinander. Gehen Sie mit allem, was Ihnen an Ihrer Haut Sorgen macht, zu einer Ärztin oder einem Arzt.
report-more =
    { $n-more ->
        [one] … und { $n-more } weitere Bezeichnung
       *[other] … und { $n-more } weitere Bezeichnungen
    }
report-date = Datum
report-photo = Foto
report-size = { $n-width } × { $n-height } Bildpunkte
report-seen = Vom Modell gesehen
report-whole-photo = Das ganze Foto, in der Größe angepasst und mittig.
report-model = Modell
report-weights = { $name } ({ $format }), Gewichte SHA-256 { $sha256 }
report-program = Programm
report-page = { $program }, Seite { $build }
report-page-and-server = { $program }, Seite { $build }, auf { $server }

map = Wo sieht das Foto so aus?
map-label = Eine der Antworten
map-label-show = Stelle zeigen
map-own = Oder eigene Wörter
map-own-hint = Zum Beispiel ein Befund wie „scale“ (Schuppung), auf Englisch. Beim ersten Mal wird der Textteil des Modells geladen.
map-own-show = Stelle zu diesen Wörtern zeigen
map-frame = Diese Stelle betrachten lassen
map-hide = Karte ausblenden
map-less = weniger ähnlich
map-more = ähnlicher
map-meaning = Ähnlichkeit, keine Begründung: Die Karte zeigt, welche Stellen die Zahlen des Modells für dieses Foto denen des Textes ähnlicher machen. Sie sagt nicht, warum eine Antwort stimmt oder ob sie stimmt.
map-most = Am ähnlichsten zu „{ $text }“: { $place }.
map-nowhere = Keine Stelle ist „{ $text }“ ähnlicher als den anderen Bezeichnungen.
place-top-left = oben links
place-top = oben
place-top-right = oben rechts
place-left = links
place-middle = in der Mitte
place-right = rechts
place-bottom-left = unten links
place-bottom = unten
place-bottom-right = unten rechts
