# The camera's dialog.

camera-opening = The camera is being opened. If the browser asks, allow it.
camera-hint = Fill the middle of the square with the spot: the model looks at the square. Use daylight without shadows or glare, and hold still.
camera-picture = Picture of the camera
camera-shutter = Take the photo
camera-turn = Other camera
camera-app = Use the camera app
camera-close = Close
camera-denied = This page may not use the camera. Allow it in the browser's settings for this page, then try again, or choose a photo.
camera-missing = No camera was found. Connect one, then try again, or choose a photo.
camera-busy = The camera cannot be used now, perhaps because another program uses it. Close that program, then try again.
camera-lost = The camera was disconnected or switched off. Try again.
camera-hidden = This browser does not give pages the camera's picture, to protect against tracking. Take the photo with the camera app, then choose it.
camera-failed = The camera could not be opened ({ $detail }). Try again, or choose a photo.
