# The photo: choosing one, the square that the model looks at, and hints about the photo.

photo = Photo
photo-choose = Choose a photo
photo-take = Take a photo
photo-remove = Remove the photo
photo-none = No photo yet
photo-many = Many photos
photo-folder = A folder
photo-back-to-table =
    { $n-files ->
        [one] Back to the table of { $n-files } photo
       *[other] Back to the table of { $n-files } photos
    }
photo-other-ways = You can also drop or paste photos or a folder anywhere on this page.
photo-samples = Or try a drawn sample:
photo-see-answers = See the answers
photo-see-error = See what is wrong
photo-drop = Drop photos or a folder
photo-chosen = The chosen photo, { $name }

sample = Sample: { $shows }
sample-spot = a round brown spot
sample-lesion = an irregular dark lesion
sample-plaque = a scaly plaque

photo-dark = The photo is dark. Take it again in daylight or with more light.
photo-blurred = The photo looks blurred. Take it again with a steady hand, or a little farther away.
photo-few-pixels = This part of the photo has few pixels. Take the photo again from closer.

crop-begin = Frame the spot
crop-size = Size of the square
crop-smaller = Smaller square
crop-larger = Larger square
crop-whole = Whole photo
crop-hint = Drag the square or a corner, or pinch.
crop-keys = With a mouse, turn the wheel. With keys: arrows, + and −; Escape for the whole photo.
crop-square = The square that the model looks at
crop-in-words = A square of { $n-side } × { $n-side } of the photo's { $n-width } × { $n-height } pixels, { $n-left } from its left edge and { $n-top } from its top.
seen-of-photo = What the model sees of the photo: { $n-side } × { $n-side } pixels.
seen-of-square = What the model sees of this square: { $n-side } × { $n-side } pixels.

server = Compute on the server
server-hint = For slow devices. The photo then leaves this device: the pixels that the model needs, a small square without metadata, are sent to { $server }.
