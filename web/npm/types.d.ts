// Made from the Rust types by tests/npm_types.rs; do not edit.

/** Calibration of a model for one set of labels. */
export type Calibration = {
  /** The labels that it holds for, in any order. It holds for the model's own templates only. */
  class_names: string[];
  /** Key of the label set: pad, ..., or custom. */
  label_set: string;
  /** The data that it was fitted and measured on. */
  measured: Measured;
  /** When to answer that none of the labels fits. */
  none_of_these: NoneOfThese;
  /** Logits are 100 times the cosines, divided by this. Above 1, probabilities become more equal. */
  temperature: number;
  /** The temperature that was fitted where it is not used, since it did not help on the other half or was at its lower bound; temperature is then 1. */
  unused_temperature?: number | null;
};

/** How far probabilities are from frequencies. */
export type CalibrationErrors = {
  /** Mean squared distance of the probabilities from 1 for the true label and 0 for the others; from 0 to 2. */
  brier_score: Figure;
  /** Mean distance between confidence and accuracy in ten bins of equal width. */
  expected_calibration_error: Figure;
  /** Mean negative logarithm of the true label's probability. */
  negative_log_likelihood: Figure;
};

/** The result of one benchmark. */
export type CardEvaluation = {
  /** Key of the benchmark: pad, ...; own or own_retrieval for data that are in no list of benchmarks. */
  benchmark: string;
  /** The same metric by skin tone, if the data have it. */
  by_skin_tone?: CardGroup[];
  /** Whether these very weights were measured, and not those that they were quantized from. */
  is_of_these_weights: boolean;
  /** The metric for people: "top-1 accuracy". */
  metric: string;
  /** Number of images that were scored. */
  n: number;
  /** The metric's value. */
  result: Figure;
  /** The benchmark for people. */
  title: string;
};

/** The result of a group of images. */
export type CardGroup = {
  /** Number of its images. */
  n: number;
  /** The skin tone: "Fitzpatrick type 5". */
  name: string;
  /** The metric's value. */
  result: Figure;
};

/** Whether to believe an answer. Only calibrated answers have it. */
export type Certainty = {
  /** How well the labels fit, in standard deviations: 0 for an average photo of the labels. */
  match_score: number;
  /** None of the labels fits a photo whose match_score is below this. */
  match_threshold: number;
  /** None of the labels fits the photo. */
  none_of_these: boolean;
  /** The first label is more often wrong than right at this probability. */
  unsure: boolean;
};

/** A square within the photo. */
export type Crop = {
  left: number;
  side: number;
  top: number;
};

/** An error as the visitor sees it. The worker sends it to the page as JSON. */
export type Error = "no_model" | "page_replaced" | "not_an_image" | "photo_unreadable" | "photo_given_up" | "no_files" | "link_without_file" | "text_with_picture" | "journal_full" | "journal_unavailable" | {
  unreachable: {
    what: string;
  };
} | {
  timeout: {
    what: string;
  };
} | {
  unexpected_page: {
    what: string;
  };
} | {
  refused: {
    status: number;
    what: string;
  };
} | {
  damaged: {
    expected: string;
    found: string;
    what: string;
  };
} | {
  unusable_model: {
    detail: string;
  };
} | {
  out_of_memory: {
    what: string;
  };
} | {
  worker_not_started: {
    detail: string;
  };
} | {
  worker_silent: {
    secs: number;
  };
} | {
  worker_crashed: {
    detail: string;
  };
} | {
  unsupported_format: {
    detail: string;
  };
} | {
  image_too_large: {
    found: string;
    limit: string;
  };
} | {
  image_damaged: {
    detail: string;
  };
} | {
  server_refused: {
    message: string;
  };
} | {
  labels: {
    detail: string;
  };
} | {
  invalid_argument: {
    detail: string;
  };
} | {
  journal_damaged: {
    detail: string;
  };
} | {
  journal_full_after: {
    n_kept: number;
    n_photos: number;
  };
} | {
  computation: {
    detail: string;
  };
};

/** A measured value. */
export type Figure = {
  /** 95 % bootstrap interval. */
  interval?: number[] | null;
  /** null if it is undefined. */
  value?: number | null;
};

/** The purpose of a file of a quantized model. */
export type FileRole = "vision" | "text" | "classifiers" | "tokenizer";

/** Class names in label order. */
export type LabelSet = {
  /** The labels, in label order. */
  class_names: string[];
  /** pad, f17k, snu, sd128, or custom. */
  key: string;
  /** Title for people. */
  title: string;
};

/** One file beside the manifest. */
export type ManifestFile = {
  /** Length in bytes. */
  bytes: number;
  /** File name, without a path. */
  file: string;
  /** What it is for. */
  role: FileRole;
  /** SHA-256, in hexadecimal digits of lower case. */
  sha256: string;
};

/** What a calibration was fitted on, and its errors on other photos of the same data. */
export type Measured = {
  /** Errors with the temperature. */
  after: CalibrationErrors;
  /** Errors of probabilities from 100 times the cosines. */
  before: CalibrationErrors;
  /** Name of the data. */
  data: string;
  /** Photos that it was fitted on. */
  n_fitted: number;
  /** Photos that the figures are from. */
  n_held_out: number;
  /** Photos of something else, by their data. */
  outside: Outside[];
  /** Share of photos of the labels that are answered with "none of these". */
  refused: Figure;
  /** Share of right answers. */
  top1_accuracy: Figure;
};

/** What a model was trained and evaluated on, and where it fails. Part of the manifest. */
export type ModelCard = {
  /** Results on labeled data. */
  evaluations?: CardEvaluation[];
  /** License of the weights. */
  license?: string | null;
  /** Known limits, in sentences. */
  limits?: string[];
  /** Address of the weights or of their paper. */
  source?: string | null;
  /** Training data, an entry for each set. */
  trained_on?: string[];
};

/** The parts of a manifest that the page shows. */
export type ModelInfo = {
  /** The label sets for which probabilities are calibrated. */
  calibrations: Calibration[];
  /** What people should know of the model; None if nobody has said it. */
  card?: ModelCard | null;
  /** The model's files, with their hashes. */
  files: ManifestFile[];
  /** Side of the square that the model sees, in pixels; None if this version does not know the model's config. */
  image_size?: number | null;
  is_trained: boolean;
  /** The label sets whose classifiers are shipped with the model. */
  label_sets: LabelSet[];
  /** Whether it maps where a photo is like a text. */
  makes_maps: boolean;
  name: string;
  /** A warning about the model. */
  notice?: string | null;
  /** Whether it sees the square in the middle of a photo, not the whole photo squeezed or padded. */
  sees_middle: boolean;
  /** Format of the big matrices, such as int8. */
  weight_format: string;
};

/** When none of the labels fits: the score is the lower of two, each as its distance from the mean of photos of the labels in their standard deviations. */
export type NoneOfThese = {
  /** The largest value of this softmax, for photos of the labels. */
  concept_match: Spread;
  /** The largest cosine, for photos of the labels. */
  largest_cosine: Spread;
  /** The share of photos of the labels that the threshold was chosen to refuse. */
  refused_share: number;
  /** Temperature of the softmax over the cosines. */
  temperature: number;
  /** None of the labels fits a photo whose score is below this. */
  threshold: number;
};

/** How well photos of something else are told from photos of the labels. */
export type Outside = {
  /** Area under the ROC curve of the score. */
  auroc: Figure;
  /** Of maximum concept matching alone. */
  concept_match_auroc: Figure;
  /** Name of the data. */
  data: string;
  /** Of the largest cosine alone. */
  largest_cosine_auroc: Figure;
  /** Number of photos. */
  n: number;
  /** Share that is answered with "none of these". */
  recognized: Figure;
};

/** A label and its probability among the labels of its set. */
export type Prediction = {
  /** The class name. */
  label: string;
  /** The classifier's scale times the cosine: 100 times, unless another scale was chosen. */
  logit: number;
  /** Softmax over the label set. */
  probability: number;
};

/** The presence score of one concept. */
export type Presence = {
  /** Name of the concept. */
  concept: string;
  /** Between 0 and 1. At 0.5 the photo is as similar to the sentences with the concept as to those without it. */
  score: number;
};

/** Progress of a stage. */
export type Progress = {
  /** In bytes or labels. */
  done: number;
  stage: Stage;
  total: number;
};

/** Mean and standard deviation. */
export type Spread = {
  /** Standard deviation. */
  deviation: number;
  /** Mean. */
  mean: number;
};

/** A stage of the work that takes a while. */
export type Stage = "download" | "read_stored" | "photos" | "features" | "labels" | "concepts";
