table = Fotos
table-done =
    { $n-files ->
        [one] { $n-done } von { $n-files } Foto ist fertig.
       *[other] { $n-done } von { $n-files } Fotos sind fertig.
    }
table-unfit =
    { $n-unfit ->
        [one] Zu { $n-unfit } Foto passt keine der Bezeichnungen.
       *[other] Zu { $n-unfit } Fotos passt keine der Bezeichnungen.
    }
table-refused =
    { $n-refused ->
        [one] { $n-refused } Foto wurde nicht eingeordnet; die Tabelle sagt, warum.
       *[other] { $n-refused } Fotos wurden nicht eingeordnet; die Tabelle sagt, warum.
    }
table-filter = Nur Dateien, Bezeichnungen oder Probleme zeigen mit
table-save-csv = Als CSV speichern
table-save-json = Als JSON speichern
table-close = Tabelle schließen
table-answers = Antworten zu den Fotos
table-file = Datei
table-label = Erste Bezeichnung
table-percent = %
table-not-yet = noch nicht
table-pages = Seiten der Tabelle
table-previous = Zurück
table-next = Weiter
table-page =
    { $n-rows ->
        [one] Seite { $n-page } von { $n-pages }, { $n-rows } Zeile
       *[other] Seite { $n-page } von { $n-pages }, { $n-rows } Zeilen
    }

table-search = Diese Fotos durchsuchen
table-search-hint = Was zu sehen sein soll, zum Beispiel „a brown spot“ (ein brauner Fleck), auf Englisch. Bei der ersten Suche wird der Textteil des Modells geladen.
table-search-start = Suchen
table-search-end = Suche beenden
table-similarity = Ähnlichkeit
table-like = Ähnlich wie dieses
table-like-file = Ähnlich wie dieses: { $file }
table-ordered = Geordnet nach der Ähnlichkeit mit „{ $searched }“, das ähnlichste zuerst.
table-compared = In der Tabelle steht die Ähnlichkeit mit „{ $searched }“.
table-most-similar = Am ähnlichsten: { $file }.
table-keep = Das Berechnete auf diesem Gerät behalten
table-keep-hint = Dieselben Fotos füllen dann eine Tabelle, ohne noch einmal berechnet zu werden, auch bei späteren Besuchen. Behalten werden die Zahlen, die das Modell aus jedem Foto gemacht hat, nicht die Fotos: höchstens { $n-megabytes } MB, die ältesten gehen zuerst. Beim Ausschalten werden sie gelöscht.
table-kept =
    { $n-kept ->
        [one] Davon war { $n-kept } auf diesem Gerät behalten und wurde nicht noch einmal berechnet.
       *[other] Davon waren { $n-kept } auf diesem Gerät behalten und wurden nicht noch einmal berechnet.
    }
table-kept-size = Auf diesem Gerät behalten: { $megabytes } MB.
table-kept-full = Auf diesem Gerät ist kein Platz für mehr. Behalten: { $megabytes } MB. Andere Fotos werden jedes Mal berechnet.
table-kept-unavailable = Dieser Browser behält keine Dateien für diese Seite, wie in einem privaten Fenster. Fotos werden jedes Mal berechnet.
