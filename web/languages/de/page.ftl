page-title = Dermake: ordnet Bezeichnungen für Hautfotos, auf Ihrem eigenen Gerät
page-subtitle = Ordnet Bezeichnungen, die Sie wählen, danach, wie gut sie zu einem Hautfoto passen.
page-research = Forschungssoftware, kein Medizinprodukt.
page-no-diagnosis = Sie stellt keine Diagnose: Wenn Ihnen etwas an Ihrer Haut Sorgen macht, zeigen Sie es einer Ärztin oder einem Arzt.
page-photo-stays = Das Foto bleibt auf diesem Gerät.
page-photo-sent = Das Foto wird an { $server } gesendet.
page-runs-here = Das Modell läuft in diesem Browser. Die Seite lädt nur ihre eigenen Dateien und sendet nichts.
page-runs-on-server = Das Modell läuft auf dem Server, wie Sie es gewählt haben: Die Bildpunkte, die es von jedem Foto braucht, werden dorthin gesendet.
page-stores = Ihre Bezeichnungen werden auf diesem Gerät gespeichert, das Foto auch, bis Sie diesen Tab schließen oder es entfernen.
page-offline = Auf diesem Gerät gespeichert: Diese Seite funktioniert jetzt ohne Netz.
page-offline-part = Auf diesem Gerät gespeichert: Diese Seite funktioniert jetzt ohne Netz, außer mit eigenen Bezeichnungen: Den Teil des Modells, den diese brauchen, lädt die Seite, wenn Sie sie zum ersten Mal verwenden.
page-licenses = Lizenzen dieser Seite und der Software in ihr (auf Englisch)

language = Sprache
language-failed = Die Texte in dieser Sprache konnten nicht geladen werden: { $language }. Die Seite bleibt auf Deutsch. Prüfen Sie die Netzverbindung und wählen Sie die Sprache dann noch einmal.
