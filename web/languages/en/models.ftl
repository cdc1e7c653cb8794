# Other models that answer the same photo.

models = Compare models
models-choose = Another model for this photo
models-cost = Its answer downloads up to { $megabytes } MB, less what this device has stored. It is given the same part of the photo and the same labels.
models-cost-text = Its answer downloads up to { $megabytes } MB, less what this device has stored: the labels are not built into it, so that includes its text part. It is given the same part of the photo and the same labels.
models-cost-unknown = How much its answer downloads is not known: the host does not say. It is given the same part of the photo and the same labels.
models-cost-server = The server computes its answer, so nothing is downloaded. It is given the same part of the photo and the same labels.
models-lack-labels = The labels are not built into this model, and it has no text part that could compute them. Choose other labels or another model.
models-start = Let it answer, too
models-cancel = Cancel
models-says = { $model }: { $text }
models-failed = { $model } did not answer. { $error }
models-answers = Answers of the models
models-same = The { $n-models } models agree on the first label: { $label }.
models-none-fits = The { $n-models } models agree that no label of the list fits this photo well.
models-differ = The models disagree.
models-first = { $model }: { $label }, { $percent }.
models-none = { $model }: none of these.
models-place = { $model } has { $label } in place { $n-place }, with { $percent }.
models-caution = Models that agree may be wrong together: they may have learned from the same photos. Compare the percentages of two models only if both are calibrated.
