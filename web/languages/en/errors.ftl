# Errors, each with what to do. Details come from the browser, the server or the model's library, in English.

what-model-list = the list of models
what-sample = the sample
what-photo = this photo
what-journal-file = the journal's file
what-server-answer = the server's answer

error-unreachable = Could not fetch { $what }: no connection to the server. Check the network, then try again.
error-timeout = Could not fetch { $what }: the server does not respond. Check the network, then try again.
error-unexpected-page = Could not fetch { $what }: another page came instead, perhaps a login. Reload this page to see it.
error-refused = Could not fetch { $what }: the server answered { $n-status }. Try again, now or later.
error-damaged = { $what } is damaged: expected { $expected }, found { $found }. It was deleted. Try again.
error-no-model = This server has no model. Try again when it has one.
error-unusable-model = This model cannot be used here: { $detail }.
error-out-of-memory = There is not enough memory for { $what }. Close other tabs or programs, then try again.
error-worker-not-started = The model's program could not start ({ $detail }). Check the network, then try again.
error-worker-silent = The model's program could not start (it did not respond for { $n-secs } seconds). Check the network, then try again.
error-page-replaced = The server has a newer version of this page and no longer has the files of this one. Reload the page.
error-worker-crashed = The model stopped unexpectedly, perhaps because memory ran out ({ $detail }). Try again to restart it.
error-not-an-image = This file is not an image that can be read here. Choose a JPEG, PNG, WebP, GIF, BMP or TIFF file.
error-unsupported-format = This file cannot be read here: { $detail }. Choose another one.
error-image-too-large = This image is too large: it has { $found }, and the limit is { $limit }. Choose a smaller one.
error-image-damaged = This image is damaged or incomplete ({ $detail }). Choose another one.
error-photo-unreadable = This file could not be read: it may have been moved, changed or deleted. Choose it again.
error-photo-given-up = The page ended twice with this photo, perhaps because memory ran out. Close other tabs or programs, then choose it again, or a smaller one.
error-no-files = There are no files here. Choose or drop photos, or a folder that has some.
error-link-without-file = This is a link without a picture file. Save the picture, then choose its file.
error-text-with-picture = This is text. To use it as labels, select "Your own labels" and paste it into the box.
error-server-refused = The server did not classify the photo: { $message }. Try again, now or later.
error-labels = These labels cannot be used: { $detail }.
error-journal-damaged = This file is not a journal of this page, or it is damaged ({ $detail }). Nothing was imported.
error-journal-full = There is no room on this device for another photo. Save the journal as a file, then delete photos.
error-journal-full-after = There was room on this device for { $n-kept } of { $n-photos } photos. Make room, then open the journal's file again for the others.
error-journal-unavailable = This browser keeps no files for this page, as in a private window. The photo was not kept.
error-computation = The computation failed: { $detail }. Try again.
