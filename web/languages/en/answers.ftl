# The status, the answers, the findings, and what is printed and shared of them.

status-starting = Starting.
status-stopped = Stopped.
status-connecting = Connecting to the server.
status-preparing = Preparing the model.
status-loading-stored = Loading the model from this device.
status-downloading = Downloading the model.
status-classifying = Classifying the photo.
status-classifying-many = Classifying the photos.
status-scoring = Scoring findings.
status-mapping = Mapping the photo.
status-searching = Searching the photos.
status-keeping-features = Keeping what was computed.
status-encoding = Encoding your labels.
status-loading-stored-text = Loading the text part of the model from this device.
status-downloading-text = Downloading the text part of the model.
status-fetching-sample = Fetching the sample.
status-done = Done.
status-ready-for-labels = Ready: type your labels.
status-ready-for-photo = Ready: choose a photo.
amount-megabytes = { $done } of { $total } MB
amount-photos =
    { $n-total ->
        [one] { $n-done } of { $n-total } photo
       *[other] { $n-done } of { $n-total } photos
    }
amount-labels =
    { $n-total ->
        [one] { $n-done } of { $n-total } label
       *[other] { $n-done } of { $n-total } labels
    }
amount-sentences =
    { $n-total ->
        [one] { $n-done } of { $n-total } sentence
       *[other] { $n-done } of { $n-total } sentences
    }

threads-failed = The multi-threaded program did not start in this browser: the model runs on one core, more slowly.
untrained = The weights of this model are untrained.
untrained-meaning = It shows how the page works; its answers have no meaning.
try-again = Try again
reload = Reload the page
choose-other-photo = Choose another photo

answers = Answers
answers-list = Labels, most likely first
answers-all =
    { $n-answers ->
        [one] Show { $n-answers } answer
       *[other] Show { $n-answers } answers
    }
answers-fewer = Show fewer
answered-here = Answered in { $time } on this device.
answered-on-gpu = Answered in { $time } on this device's GPU.
answered-on-server = Answered in { $time } on the server.
answered-from-kept = Answered in { $time } from what was kept on this device.
answered-gpu-note = { $note }

not-calibrated = This model is not calibrated for these labels: the percentages only compare them with one another, and do not say how often they are right.
likely = The percentages are calibrated: on photos like those that the model was measured with, answers at 80 % are right about 80 times in 100. They compare only these labels with one another.
unsure = Unsure: at this percentage, the first label is more often wrong than right.
none-of-these = None of these: no label of the list fits this photo well. The order only says which fits least badly.
unsure-in-short = unsure
none-of-these-in-short = none of these

findings = Score findings, too
findings-hint = What a dermatologist would describe, such as scale or crust. The first use downloads the text part of the model.
findings-skincon = SkinCon, 32 findings
findings-seven-point = 7-point checklist (dermoscopic photos)
findings-all = Show all findings
findings-fewer = Show fewer findings
findings-meaning = At 50 the photo is as much like sentences with the finding as like the same sentences without it. The scores are similarities; they are not the reason for the answers above.
findings-typical-of = Mark what is typical of
findings-typical = typical
findings-typical-meaning = “Typical” means that textbooks name the finding for { $label }; it is no criterion of a diagnosis. The score says how much the photo resembles the finding.
findings-none-typical = There is no list of typical findings for { $label }.

take-along = Take the answers along
take-print = Print or save as PDF
take-save = Save as a file
take-share = Share
take-not-shared = This could not be shared. Save it as a file, or print it.

report-disclaimer = Research software, not a medical device. This is no diagnosis: the percentages only compare these labels with one another. See a doctor about anything on your skin that worries you.
report-more =
    { $n-more ->
        [one] … and { $n-more } more label
       *[other] … and { $n-more } more labels
    }
report-date = Date
report-photo = Photo
report-size = { $n-width } × { $n-height } pixels
report-seen = Seen by the model
report-whole-photo = The whole photo, scaled and centered.
report-model = Model
report-weights = { $name } ({ $format }), weights SHA-256 { $sha256 }
report-program = Program
report-page = { $program }, page { $build }
report-page-and-server = { $program }, page { $build }, on { $server }

map = Where is the photo like this?
map-label = One of the answers
map-label-show = Show where
map-own = Or words of your own
map-own-hint = A finding, for example, such as scale. The first use downloads the text part of the model.
map-own-show = Show where it is like these words
map-frame = Look at this place
map-hide = Hide the map
map-less = less like it
map-more = more like it
map-meaning = Similarity, not a reason: the map shows which places make the model's numbers for this photo more like those of the text. It does not say why an answer is right, or whether it is.
map-most = Most like “{ $text }”: { $place }.
map-nowhere = No place is more like “{ $text }” than like the other labels.
place-top-left = at the top left
place-top = at the top
place-top-right = at the top right
place-left = at the left
place-middle = in the middle
place-right = at the right
place-bottom-left = at the bottom left
place-bottom = at the bottom
place-bottom-right = at the bottom right
