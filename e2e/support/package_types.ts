/** Never run: it compiles only if the types of the JavaScript package fit what its manual shows. */

import '../../web/npm/element.js';
import { DermakeError, load, type ErrorCode, type Model, type Prediction, type Presence } from '../../web/npm/index.js';

export async function asInTheManual(file: File, signal: AbortSignal): Promise<Prediction[]> {
  const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }) => console.log(stage, done / total);
  const model: Model = await load('/models/make-int8/', { onProgress, engine: 'auto', threads: 2, workers: '/w/', signal });
  const crop = { left: 0, top: 0, side: 10 };
  const answers = await model.classify(file, { labels: ['nevus', 'melanoma'], topK: 3, crop, signal });
  const concepts: Presence[] = await model.annotate(file, { concepts: ['scale'] });
  const fixed: readonly string[] = ['a', 'b'];
  await model.classify(file, { labels: fixed });
  await model.annotate(file, { concepts: ['scale', 'bulla'] as const });
  const features: Float32Array[] = await model.embedText(fixed);
  const [image, text]: Float32Array[] = [await model.embed(file), await model.embedText('a')];
  model.dispose();
  return concepts.length + features.length + image.length + text.length > 0 ? answers : [];
}

export async function embedded(text: string | string[]): Promise<Float32Array | Float32Array[]> {
  using model = await load('/models/make-int8/');
  // @ts-expect-error: no such option
  await model.embedText(text, { topK: 1 });
  return model.embedText(text);
}

export function codeOf(error: unknown): ErrorCode | undefined {
  if (!(error instanceof DermakeError)) return undefined;
  const codes: ErrorCode[] = ['damaged', 'not_an_image', 'worker_not_started', 'disposed'];
  // @ts-expect-error: not a code
  codes.push('no_such_code');
  return error.code;
}

export function shown(): void {
  const element = document.createElement('dermake-classifier');
  element.addEventListener('dermake-result', ({ detail }) => console.log(detail.predictions[0].label));
}

export async function pixelsOfAPage(model: Model, canvas: HTMLCanvasElement, pixels: ImageData): Promise<void> {
  await model.classify(canvas);
  await model.classify(pixels);
  // @ts-expect-error: not a photo
  await model.classify(document.body);
}
