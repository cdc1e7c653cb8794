//! What `dermake train` refuses before the first step, or when it must stop.

use crate::train_run::{RECIPE, Run, data, own_data};
use crate::{dermake, sample};

#[test]
fn what_cannot_go_on_is_refused() {
    let run = Run::new(1, "1e-3");
    run.finish();
    let before = run.tensors("last");
    std::fs::write(&run.recipe, RECIPE.replace("EPOCHS", "1").replace("RATE", "2e-3")).unwrap();
    let refused = dermake().args(run.arguments()).assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8_lossy(&refused).contains("another recipe"), "{}", String::from_utf8_lossy(&refused));
    assert!(run.tensors("last") == before);

    let diverging = Run::new(3, "1e30");
    let refused = dermake().args(diverging.arguments()).assert().code(2).get_output().stderr.clone();
    let refused = String::from_utf8_lossy(&refused);
    assert!(refused.contains("the loss is") && refused.contains("step"), "{refused}");

    let nowhere =
        dermake().args(["train", "smoke", "--data", "/nonexistent", "--out"]).arg(run.out()).assert().code(2);
    let stderr = String::from_utf8_lossy(&nowhere.get_output().stderr).into_owned();
    assert!(stderr.contains("/nonexistent/train.csv"), "{stderr}");
}

#[test]
fn what_nothing_can_be_learned_from_is_refused_before_the_first_step() {
    let set = own_data();
    let table = std::fs::read_to_string(set.path().join("train.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let write = |column: &str, value: &str| {
        let mut writer = csv::Writer::from_path(set.path().join("train.csv")).unwrap();
        writer.write_record(&header).unwrap();
        for record in &records {
            let changed =
                record.iter().enumerate().map(|(at, cell)| if at == place(column) { value } else { cell });
            writer.write_record(changed).unwrap();
        }
        writer.flush().unwrap();
    };
    let clip = |value: bool| {
        let run = Run { data: set.path().to_path_buf(), ..Run::new(1, "1e-3") };
        if value {
            run.change("\"paper\"", "\"clip\"");
        }
        run
    };
    write("knowledge_masks", "[0, 0, 0]");
    let refused = clip(true).refusal();
    assert!(refused.contains("`clip` can learn nothing") && refused.contains("knowledge_masks"), "{refused}");
    clip(false).finish(); // of sub-captions alone
    write("truncated_caption", "a lesion");
    let refused = clip(true).refusal();
    assert!(refused.contains("same truncated_caption"), "{refused}");
    write("filename", "images/00000.jpg");
    let refused = clip(false).refusal();
    assert!(refused.contains("same image"), "{refused}");
}

#[test]
fn settings_that_cannot_be_meant_are_refused_before_the_first_step() {
    for (from, to, expected) in [
        ("warmup_steps = 2", "warmup_steps = 6", "warmup_steps is 6, but the run has 5 steps"),
        ("zeroshot/test.csv", "zeroshot/gone.csv", "zeroshot/gone.csv"),
        ("\"classes.json\"", "\"gone.json\"", "gone.json"),
        ("\"paper\"", "\"clip\"\nlambda_s = 0.5", "objective.lambda_s has no effect"),
        ("batch_size = 16", "batch_size = 1", "batch_size is 1"),
        ("train = ", "image_root = \"gone\"\ntrain = ", "image_root is no folder"),
    ] {
        let run = Run::new(1, "1e-3");
        run.change(from, to);
        let refused = run.refusal();
        assert!(refused.contains(expected), "{to}: {refused}");
    }
}

#[test]
fn what_a_run_reads_and_what_others_wrote_is_not_overwritten() {
    let refusal = |arguments: &[&std::ffi::OsStr], file: &std::path::Path| {
        let before = std::fs::read(file).unwrap();
        let output = dermake().arg("train").args(arguments).output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && log.contains(file.to_str().unwrap()), "{log}");
        assert_eq!(std::fs::read(file).unwrap(), before);
        log
    };
    let run = Run::new(1, "1e-3");
    std::fs::create_dir(run.out()).unwrap();
    let (plan, set) = (run.out().join("plan.toml"), own_data());
    std::fs::copy(&run.recipe, &plan).unwrap();
    let [data, out] = [&run.data, &run.out()].map(|path| path.as_os_str().to_owned());
    let log = refusal(&[plan.as_os_str(), "--data".as_ref(), &data, "--out".as_ref(), &out], &plan);
    assert!(log.contains("would overwrite a file that is read"), "{log}");
    // The recipe of somebody else in the folder, then a picture.
    let log = refusal(&[run.recipe.as_os_str(), "--data".as_ref(), &data, "--out".as_ref(), &out], &plan);
    assert!(log.contains("which no run has written"), "{log}");
    std::fs::remove_file(&plan).unwrap();
    let curves = run.out().join("curves.png");
    std::fs::write(&curves, "mine").unwrap();
    refusal(&[run.recipe.as_os_str(), "--data".as_ref(), &data, "--out".as_ref(), &out], &curves);
    std::fs::remove_file(&curves).unwrap();

    // Tables under the names of results.
    let out = set.path().as_os_str();
    for (name, more) in [("metrics.jsonl", vec![]), ("sweep.csv", vec!["--sweep", "run.seed=1,2"])] {
        let table = set.path().join(name);
        std::fs::write(&table, "image,caption\n").unwrap();
        let table = table.as_path();
        let mut arguments =
            ["clip-small".as_ref(), "--data".as_ref(), table.as_os_str(), "--out".as_ref(), out].to_vec();
        arguments.extend(more.iter().map(std::ffi::OsStr::new));
        let log = refusal(&arguments, table);
        assert!(log.contains("would overwrite a file that is read"), "{log}");
        arguments[2] = "captions.csv".as_ref();
        let log = refusal(&arguments, table);
        assert!(log.contains("which no run has written") || log.contains("which no sweep has written"), "{log}");
        std::fs::remove_file(table).unwrap();
    }

    // The plan of a run continues it.
    run.finish();
    let plan = Run { recipe: plan, ..run };
    assert!(plan.log().contains("this run is finished"));
}

#[test]
fn adapters_beside_a_loss_that_trains_a_bias_are_refused() {
    let run = Run::new(1, "1e-3");
    run.change("\"paper\"", "\"siglip\"");
    run.change("[run]\n", "[lora]\nrank = 2\n\n[run]\n");
    let refused = run.refusal();
    assert!(refused.contains("needs a logit bias that is trained"), "{refused}");
}

#[test]
fn an_architecture_beside_another_one_is_refused() {
    let first = Run::new(1, "1e-3");
    first.finish();
    let last = first.checkpoint("last");
    let second = Run::new(1, "1e-3");
    let text = std::fs::read_to_string(&second.recipe).unwrap();
    let (start, end) = (text.find("[model.model_cfg]").unwrap(), text.find("[data]").unwrap());
    let model = format!("[model]\nfrom = {:?}\narchitecture = \"ViT-B-32\"\n", last.to_str().unwrap());
    std::fs::write(&second.recipe, [&text[..start], &model, &text[end..]].concat()).unwrap();
    let refused = second.refusal();
    assert!(refused.contains("given as ViT-B-32") && refused.contains("vision width 32"), "{refused}");
    second.change("architecture = \"ViT-B-32\"\n", "");
    second.finish();

    let photo = data().join("zeroshot/images/00000.jpg");
    for model in [last.to_str().unwrap(), "demo"] {
        let mut classify = dermake();
        classify
            .args(["classify", "--labels", "nevus, psoriasis", "--arch", "ViT-B-32", "--model", model])
            .arg(&photo);
        let stderr = String::from_utf8(classify.assert().code(2).get_output().stderr.clone()).unwrap();
        assert!(stderr.contains("leave"), "{stderr}");
    }
    let third = Run::new(1, "1e-3");
    let quantized = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared-model/data/demo");
    let model = format!("[model]\nfrom = {quantized:?}\n");
    std::fs::write(&third.recipe, [&text[..start], &model, &text[end..]].concat()).unwrap();
    assert!(third.refusal().contains("quantized"));

    // A weights file has no config; the recipe has a field for the architecture.
    let alone = third.folder.path().join("alone.safetensors");
    std::fs::copy(last.join("open_clip_model.safetensors"), &alone).unwrap();
    let model = format!("[model]\nfrom = {:?}\n", alone.to_str().unwrap());
    std::fs::write(&third.recipe, [&text[..start], &model, &text[end..]].concat()).unwrap();
    let refused = third.refusal();
    assert!(refused.contains("model.architecture") && !refused.contains("--arch"), "{refused}");
}

#[test]
fn the_first_error_of_data_check_and_train_names_lines_that_work() {
    let root = tempfile::tempdir().unwrap();
    let (empty, photos, table) =
        (root.path().join("empty"), root.path().join("photos"), root.path().join("labels.csv"));
    std::fs::create_dir(&empty).unwrap();
    std::fs::create_dir(&photos).unwrap();
    std::fs::copy(sample(1), photos.join("a.jpg")).unwrap();
    std::fs::write(&table, "image,age\na.jpg,30\n").unwrap();
    for (data, expected, code) in [
        (root.path().join("none"), "there is no such file or folder", 2),
        (empty, "there is no image and no table in the folder", 2),
        (photos, "the table lacks the columns truncated_caption", 1),
        (table, "the table lacks the columns truncated_caption; it has image, age", 1),
    ] {
        let check = dermake().args(["data", "check"]).arg(&data).output().unwrap();
        assert_eq!(check.status.code(), Some(code), "{}", data.display());
        let mut train = dermake();
        train.args(["train", "clip-small", "--data"]).arg(&data).arg("--out").arg(root.path().join("run"));
        let train = train.output().unwrap();
        assert_eq!(train.status.code(), Some(2), "{}", data.display());
        for output in [check, train] {
            let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(said.contains(expected), "{said}");
            for line in [
                "\n  dermake data check captions.csv ",
                "\n  dermake train clip-small --data photos --out runs/own ",
                "\n  dermake finetune --data photos --out head ",
                "\n  dermake synth --out drawn && dermake train smoke --data drawn --out runs/smoke ",
            ] {
                assert!(said.contains(line), "{said}");
            }
        }
    }
}
