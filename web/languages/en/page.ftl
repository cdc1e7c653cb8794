# The header, the footer, and the choice of the language. In all files, a variable whose name begins with "n-" is a number.

page-title = Dermake: rank labels for skin photos on your own device
page-subtitle = Ranks labels that you choose by how well they fit a photo of skin.
page-research = Research software, not a medical device.
page-no-diagnosis = It gives no diagnosis: if something on your skin worries you, show it to a doctor.
page-photo-stays = The photo stays on this device.
page-photo-sent = The photo is sent to { $server }.
page-runs-here = The model runs in this browser. The page fetches only its own files and sends nothing.
page-runs-on-server = The model runs on the server, as you chose: the pixels that it needs of each photo are sent there.
page-stores = Your labels are stored on this device, and so is the photo, until you close this tab or remove it.
page-offline = Stored on this device: this page now works offline.
page-offline-part = Stored on this device: this page now works offline, except for your own labels: the part of the model that they need is downloaded when you first use them.
page-licenses = Licenses of this page and of the software in it

language = Language
language-failed = The texts in this language could not be fetched: { $language }. The page stays in English. Check the network, then choose the language again.
