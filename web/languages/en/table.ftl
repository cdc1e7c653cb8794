# The table of many photos.

table = Photos
table-done =
    { $n-files ->
        [one] { $n-done } of { $n-files } photo is done.
       *[other] { $n-done } of { $n-files } photos are done.
    }
table-unfit =
    { $n-unfit ->
        [one] { $n-unfit } fits none of the labels.
       *[other] { $n-unfit } fit none of the labels.
    }
table-refused = { $n-refused } could not be answered; the table says why.
table-filter = Show files, labels or problems with
table-save-csv = Save as CSV
table-save-json = Save as JSON
table-close = Close the table
table-answers = Answers of the photos
table-file = File
table-label = First label
table-percent = %
table-not-yet = not yet
table-pages = Pages of the table
table-previous = Previous
table-next = Next
table-page =
    { $n-rows ->
        [one] Page { $n-page } of { $n-pages }, { $n-rows } row
       *[other] Page { $n-page } of { $n-pages }, { $n-rows } rows
    }

table-search = Search these photos
table-search-hint = What is to be seen, such as “a brown spot”. The first search downloads the text part of the model.
table-search-start = Search
table-search-end = End the search
table-similarity = Similarity
table-like = Like this photo
table-like-file = Like this photo: { $file }
table-ordered = Ordered by similarity to “{ $searched }”, the most similar first.
table-compared = The table has the similarity to “{ $searched }”.
table-most-similar = Most similar: { $file }.
table-keep = Keep what was computed on this device
table-keep-hint = The same photos then fill a table without being computed again, on later visits, too. Kept are the numbers that the model made of each photo, not the photos: at most { $n-megabytes } MB, the oldest go first. They are deleted when you turn this off.
table-kept =
    { $n-kept ->
        [one] { $n-kept } of them was kept on this device, and not computed again.
       *[other] { $n-kept } of them were kept on this device, and not computed again.
    }
table-kept-size = Kept on this device: { $megabytes } MB.
table-kept-full = There is no room on this device for more. Kept: { $megabytes } MB. Other photos are computed each time.
table-kept-unavailable = This browser keeps no files for this page, as in a private window. Photos are computed each time.
