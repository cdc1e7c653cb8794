// Made from the Rust types by tests/npm_types.rs; do not edit.

/** A square within the photo. */
export type Crop = {
  left: number;
  side: number;
  top: number;
};

/** An error as the visitor sees it. The worker sends it to the page as JSON. */
export type Error = "no_model" | "page_replaced" | "not_an_image" | "photo_unreadable" | "no_files" | "link_without_file" | "text_with_picture" | "journal_full" | "journal_unavailable" | {
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
  journal_damaged: {
    detail: string;
  };
} | {
  computation: {
    detail: string;
  };
};

/** The purpose of a file of a quantized model. */
export type FileRole = "vision" | "text" | "classifiers" | "tokenizer";

/** Class names in label order. */
export type LabelSet = {
  /** The labels, in label order. */
  class_names: string[];
  /** pad, f17k, snu, sd128, or CUSTOM. */
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

/** The parts of a manifest that the page shows. */
export type ModelInfo = {
  /** The model's files, with their hashes. */
  files: ManifestFile[];
  /** Side of the square that the model sees, in pixels; None if this version does not know the model's config. */
  image_size?: number | null;
  is_trained: boolean;
  /** The label sets whose classifiers are shipped with the model. */
  label_sets: LabelSet[];
  name: string;
  /** A warning about the model. */
  notice?: string | null;
  /** Format of the big matrices, such as int8. */
  weight_format: string;
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

/** A stage of the work that takes a while. */
export type Stage = "download" | "read_stored" | "photos" | "labels" | "concepts";
