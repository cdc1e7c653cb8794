# The journal.

journal = Journal
journal-hint = Photos that you keep here stay on this device, for everybody who can use this browser, until you delete them. The journal keeps a photo only if you press the button.
journal-may-go = This browser may delete the journal: Safari does after a week without a visit, others when the disk is full. Save it as a file, or add this page to the home screen.
journal-spot = Which spot is it?
journal-spot-example = mole below the left shoulder
journal-site = Where on the body?
journal-site-none = not said
journal-note = Note
journal-keep = Keep this photo and its answers
journal-unanswered = This photo can be kept once its answers are here.
journal-no-picture = The browser had no memory for a picture of this photo, so it cannot be kept. Reload the page, and choose the photo again.
journal-kept = Kept on this device.
journal-deleted = Deleted.
journal-imported =
    { $n-photos ->
        [one] { $n-photos } photo was imported.
       *[other] { $n-photos } photos were imported.
    }
journal-saved =
    { $n-photos ->
        [one] { $n-photos } photo is in the file.
       *[other] { $n-photos } photos are in the file.
    }
journal-left-out =
    { $n-entries ->
        [one] { $n-entries } entry has no photo on this device any more and is left out.
       *[other] { $n-entries } entries have no photo on this device any more and are left out.
    }
journal-save = Save the journal as a file
journal-open = Open a saved journal
journal-delete-all = Delete all
journal-delete = Delete the journal
journal-delete-question = Delete all photos of the journal from this device? What was kept of tables of photos is deleted, too. This cannot be undone.
journal-delete-confirm = Delete all photos
journal-delete-cancel = Keep them
journal-compare = Compare
journal-compare-photo = Compare the photo of { $date }
journal-delete-entry = Delete
journal-delete-photo = Delete the photo of { $date }
journal-delete-entry-question = Delete this photo and its answers from this device? This cannot be undone.
journal-delete-entry-confirm = Delete the photo
journal-delete-entry-cancel = Keep it
journal-site-and-note = { $site }: { $note }
comparison = Two photos compared
comparison-label = Label
comparison-missing = n/a
comparison-finding = Finding
comparison-change = Change
comparison-findings = The findings that changed most, out of 100
comparison-no-findings = Findings are compared if one model scored them for both photos before they were kept.
comparison-other = The two were answered by other models, other labels or another calibration: do not compare the numbers.
comparison-hint = Light, distance and angle change the numbers, too. Look at the photos, and show a spot that changes to a doctor.

site-head = head
site-face = face
site-neck = neck
site-chest = chest
site-abdomen = abdomen
site-back = back
site-buttocks = buttocks
site-genital-area = genital area
site-left-arm = left arm
site-right-arm = right arm
site-left-hand = left hand
site-right-hand = right hand
site-left-leg = left leg
site-right-leg = right leg
site-left-foot = left foot
site-right-foot = right foot

figure-hint = Or choose it on the figure:
figure-front = From the front
figure-back = From behind
figure-left = left
figure-right = right
figure-kept = Kept spots: { $sites }
figure-kept-site = { $site } ({ $n-spots })
