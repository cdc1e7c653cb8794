/** What a screen reader says by itself during a visit: that the model is there, the answers, what fails, what is kept. */

import { join } from 'node:path';
import { Announcements } from '../support/announcements.ts';
import { samples } from '../support/dermake.ts';
import { expect, test } from '../support/test.ts';

const sample = (number: number) => join(samples, `sample-${number}.jpg`);
const notAPhoto = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not a photo') };
/** Answers with their percentages, below what these mean. */
const ANSWERS = /^(Unsure|None of these|The percentages|This model is not calibrated).*\| .* \d+(\.\d+)? %/;
const READY = /^Ready: choose a photo\.$/;
const CLASSIFYING = /^Classifying the photo\.$/;
const CLASSIFYING_MANY = /^Classifying the photos\.$/;
const DONE = /^Done\.$/;

test('the model, the answers, an error and other labels are announced once each', async ({ page, dermake, server }) => {
  const heard = await Announcements.of(page);
  await dermake.load(server.url);
  await heard.expectSaid(READY);

  for (const number of [2, 1]) {
    await dermake.choosePhoto(sample(number));
    await dermake.expectAnswers(sample(number));
    const answers = await dermake.answers(6);
    const said = (await heard.expectSaid(CLASSIFYING, ANSWERS, DONE)).find((text) => ANSWERS.test(text));
    for (const { label } of answers) expect(said).toContain(label);
  }

  // The same file again is an error again.
  for (const _ of [1, 2]) {
    await dermake.choosePhoto(notAPhoto);
    await heard.expectSaid(/^This file is not an image/);
  }
  await dermake.choosePhoto(sample(2));
  await heard.expectSaid(ANSWERS, DONE);

  await dermake.find('labels-select').selectOption('snu');
  await heard.expectSaid(ANSWERS, DONE);
  // The visitor who opens the rest of the list reads it; it is not read out.
  await dermake.find('show-all').click();
  await expect(dermake.find('predictions').getByRole('listitem')).toHaveCount(134);
  await dermake.find('show-all').click();
  await expect(dermake.find('predictions').getByRole('listitem')).toHaveCount(5);
  expect(await heard.said()).toEqual([]);
  await dermake.typeLabels('[acne]');
  await heard.expectSaid(/^These labels cannot be used/);
  await dermake.typeLabels('acne, mole');
  await heard.expectSaid(ANSWERS, DONE);
  expect(await heard.unsaid()).toEqual([]);
});

test('what is done with the journal is announced each time', async ({ page, dermake, server }) => {
  const heard = await Announcements.of(page);
  await dermake.load(server.url);
  await dermake.expectToClassify(sample(1));
  await heard.clear();
  for (const count of [1, 2, 3]) {
    await dermake.find('journal-spot').fill('mole');
    await dermake.find('keep').click();
    await heard.expectSaid(/^Kept on this device\.$/);
    await expect(dermake.find('journal-entry')).toHaveCount(count);
  }
  for (const _ of [1, 2]) {
    await dermake.find('delete-entry').first().click();
    await dermake.find('confirm-delete').click();
    await heard.expectSaid(/^Deleted\.$/);
  }
  await dermake.find('export-journal').click();
  await heard.expectSaid(/^1 photo is in the file\.$/);
  for (const _ of [1, 2]) {
    await dermake.find('import-journal').setInputFiles(notAPhoto);
    await heard.expectSaid(/^This file is not a journal of this page/);
  }
  expect(await heard.unsaid()).toEqual([]);
});

test('a map, findings, a crop, a table, its search and another language are announced', async ({ page, dermake, server }) => {
  const heard = await Announcements.of(page);
  await dermake.load(server.url);
  await dermake.expectToClassify(sample(2));
  await heard.clear();
  await dermake.find('map-label-show').click();
  await heard.expectSaid(/^Mapping the photo\.$/, /^Most like “/, DONE);
  // The answers, which are the same, are not said again.
  await dermake.find('concepts-switch').check();
  const said = await heard.expectSaid(/^Downloading the text part of the model\.$/, DONE);
  expect(said.filter((text) => text.includes('%'))).toEqual([]);
  await dermake.find('begin-crop').click();
  await heard.expectSaid(CLASSIFYING, /^Scoring findings\.$/, ANSWERS, DONE);
  await dermake.find('many-input').setInputFiles([sample(1), sample(2), sample(3), join(samples, 'ATTRIBUTION.md')]);
  await heard.expectSaid(CLASSIFYING_MANY, DONE);
  await dermake.find('table-search').fill('a mole');
  await dermake.find('start-search').click();
  await heard.expectSaid(/^Ordered by similarity/, DONE);
  await dermake.find('language-select').selectOption('de');
  await heard.expectSaid(/^Fertig\.$/);
});

test('the work on many photos is announced from its start, with the table, its search and the way back', async ({ page, dermake, server }) => {
  const heard = await Announcements.of(page);
  const expectNothingMissed = async () => expect(await heard.unsaid()).toEqual([]);
  await dermake.load(server.url);
  await heard.expectSaid(READY);
  await dermake.find('many-input').setInputFiles([1, 2, 3].map(sample));
  await expect(dermake.find('table-summary')).toContainText('3 of 3 photos are done');
  await expectNothingMissed();
  await heard.expectSaid(CLASSIFYING_MANY, DONE);

  await dermake.find('table-search').fill('a mole');
  await dermake.find('start-search').click();
  await expect(dermake.find('table-order')).toContainText('“a mole”', { timeout: 120_000 });
  await expectNothingMissed();
  await heard.expectSaid(/^Downloading the text part of the model\.$/, /^Ordered by similarity/, DONE);
  // The text part is here: the search has no other name for its work.
  await dermake.find('table-search').fill('a red patch');
  await dermake.find('start-search').click();
  await heard.expectSaid(/^Searching the photos\.$/, /^Ordered by similarity to “a red patch”/, DONE);

  // A photo of the table comes with answers that were not on the page, and the table goes.
  await dermake.find('table').getByRole('button', { name: 'sample-2.jpg', exact: true }).click();
  await dermake.expectAnswers(sample(2));
  await expectNothingMissed();
  await heard.expectSaid(CLASSIFYING, ANSWERS, DONE);
  await dermake.find('remove-photo').click();
  await heard.expectSaid(READY);
});
