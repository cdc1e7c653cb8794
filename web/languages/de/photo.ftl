photo = Foto
photo-choose = Foto auswählen
photo-take = Foto aufnehmen
photo-remove = Foto entfernen
photo-none = Noch kein Foto
photo-many = Viele Fotos
photo-folder = Ein Ordner
photo-back-to-table =
    { $n-files ->
        [one] Zurück zur Tabelle mit { $n-files } Foto
       *[other] Zurück zur Tabelle mit { $n-files } Fotos
    }
photo-other-ways = Sie können Fotos oder einen Ordner auch an beliebiger Stelle auf dieser Seite ablegen oder einfügen.
photo-samples = Oder probieren Sie ein gezeichnetes Beispiel:
photo-see-answers = Zu den Antworten
photo-see-error = Zur Fehlermeldung
photo-drop = Fotos oder einen Ordner hier ablegen
photo-chosen = Das ausgewählte Foto, { $name }

sample = Beispiel: { $shows }
sample-spot = ein runder brauner Fleck
sample-lesion = eine unregelmäßige dunkle Hautstelle
sample-plaque = eine schuppende, erhabene Stelle

photo-dark = Das Foto ist dunkel. Nehmen Sie es bei Tageslicht oder mit mehr Licht noch einmal auf.
photo-blurred = Das Foto wirkt unscharf. Nehmen Sie es mit ruhiger Hand oder aus etwas größerem Abstand noch einmal auf.
photo-few-pixels = Dieser Teil des Fotos hat wenige Bildpunkte. Nehmen Sie das Foto aus der Nähe noch einmal auf.

crop-begin = Hautstelle einrahmen
crop-size = Größe des Quadrats
crop-smaller = Kleineres Quadrat
crop-larger = Größeres Quadrat
crop-whole = Ganzes Foto
crop-hint = Ziehen Sie das Quadrat oder eine Ecke, oder spreizen Sie zwei Finger.
crop-keys = Mit der Maus: das Mausrad. Mit Tasten: Pfeile, + und −; Escape für das ganze Foto.
crop-square = Das Quadrat, das das Modell betrachtet
crop-in-words = Ein Quadrat von { $n-side } × { $n-side } der { $n-width } × { $n-height } Bildpunkte des Fotos, { $n-left } vom linken und { $n-top } vom oberen Rand.
seen-of-photo = Was das Modell vom Foto sieht: { $n-side } × { $n-side } Bildpunkte.
seen-of-square = Was das Modell von diesem Quadrat sieht: { $n-side } × { $n-side } Bildpunkte.

server = Auf dem Server berechnen
server-hint = Für langsame Geräte. Das Foto verlässt dann dieses Gerät: Die Bildpunkte, die das Modell braucht, ein kleines Quadrat ohne Metadaten, werden an { $server } gesendet.
