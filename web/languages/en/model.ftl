# The labels, the model and its card.

labels = Labels
labels-rank = Rank these labels
labels-of-model = The model's labels
labels-own = Your own labels
labels-own-printed = Your own labels: { $labels }
labels-printed = Labels: { $title }
labels-example = melanoma, mole, eczema
labels-hint = Separated by commas, semicolons or lines. The first use downloads the text part of the model.
labels-use = Use these labels
labels-one = A single label always gets 100 %, whatever the photo shows. Add others to compare it with.
labels-read =
    { $n-labels ->
        [one] { $n-labels } label: { $listed }
       *[other] { $n-labels } labels: { $listed }
    }
labels-read-more = { $n-labels } labels: { $listed } and { $n-more } more
labels-joined = listed more than once, counted once: { $names }
labels-joined-more = listed more than once, counted once: { $names } and { $n-more } more
labels-single = { $name } is the only label, so it gets 100 % whatever the photo shows; give at least two
labels-header = the first label is { $name }; if that is the heading of the list, remove it
labels-separated-by-comma = every line has a comma; each line was taken as one label
labels-separated-by-semicolon = every line has a semicolon; each line was taken as one label
labels-separated-by-bar = every line has a vertical bar; each line was taken as one label
labels-comments = lines that begin with # or // are left out: { $n-lines }
labels-numbered = the numbers stay in the labels, as in { $name }: they do not count 1, 2, 3

model = Model
model-name = Model: { $name }
card = About this model
card-name = Name
card-warning = Warning
card-untrained = Untrained: its weights are random, and its answers have no meaning.
card-trained-on = Trained on
card-evaluated-on = Evaluated on
card-evaluation = { $title }, { $n-images } images: { $metric } { $result }
card-evaluation-before = { $title }, { $n-images } images: { $metric } { $result }, before the weights were made smaller
card-by-skin-tone = By skin tone
card-skin-tone = { $name }: { $result }, { $n-images } images
card-calibrated = Calibrated
card-not-calibrated = No: its percentages do not say how often they are right.
card-calibration = { $labels }: calibration error { $after }, before { $before }, on { $n-images } images of { $data }
card-refused = “None of these” is wrong for { $share } of images of these labels
card-recognized = “None of these” is right for { $recognized } of { $n-images } images of { $data } (AUROC { $auroc })
card-limits = Limits
card-license = License of the weights
card-source = Source
card-sees = Sees
card-square = a square of { $n-side } × { $n-side } pixels
card-weights = Weights
card-megabytes = { $number } MB
card-download = { $format }, { $size } to download
card-text-part = Text part
card-text-download = { $size } more, for your own labels and for findings
card-unknown = Unknown: the model's files do not say.
card-label-sets = Label sets
card-caution = No figure carries over to other photos. Evaluate the model on your own before you rely on it.
card-pad = Six skin lesions of the PAD-UFES-20 data: phone photos from clinics in Brazil.
card-f17k = The skin conditions of the Fitzpatrick17k data: photos of two atlases, labeled with skin types.
card-snu = The skin conditions of the SNU data: clinical photos from hospitals in South Korea.
card-sd128 = The skin conditions of the SD-128 data: clinical photos of a web atlas.
