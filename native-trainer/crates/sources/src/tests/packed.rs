//! Tar and Parquet files, which hold images.

use super::*;
use dermake_files::lock::Lock;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;
use std::time::Duration;

/// A tar file of members.
fn archive(path: &Path, members: &[(&str, &[u8])]) {
    let mut builder = tar::Builder::new(fs::File::create(path).unwrap());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.finish().unwrap();
}

#[test]
fn samples_of_several_tar_files_are_rows_whose_images_stay_there_until_they_are_unpacked() {
    let root = folder(&[]);
    archive(
        &root.path().join("s-0.tar"),
        &[
            ("a.jpg", picture()),
            ("a.txt", b"a mole\n"),
            ("a.cls", b"3"),
            ("b.seg.png", b"x"),
            ("b.json", br#"{"caption": "a wart", "age": 5}"#),
            ("b.jpeg", picture()),
        ],
    );
    archive(&root.path().join("s-1.tar"), &[("c.txt", b"no image"), ("a.jpg", b"no picture"), ("a.json", b"oops")]);
    for path in [root.path().to_path_buf(), root.path().join("s-{0..1}.tar"), root.path().join("*.tar")] {
        let mut data = read(&path);
        assert_eq!(
            (data.form(), column(&data, "caption")),
            (Form::Archive, ["a mole", "a wart", "no image", ""].map(str::to_owned).into())
        );
        assert_eq!(
            (column(&data, "label"), column(&data, "age")),
            (["3", "", "", ""].map(str::to_owned).into(), ["", "5", "", ""].map(str::to_owned).into())
        );
        assert!(data.origin(3).to_string().starts_with("row 2 of ") && data.origin(3).file.ends_with("s-1.tar"));
        assert!(
            data.notes()
                .iter()
                .any(|note| note.starts_with("1 files of the archive are not read, such as b.seg.png: ")),
            "{:?}",
            data.notes()
        );
        assert!(data.problems()[0].fault.to_string().contains("expected a JSON object"), "{:?}", data.problems());
        let before = images(&data);
        assert_eq!(before[0].as_deref(), Ok(picture()));
        assert!(before[2].is_err() && before[3].is_err());
        data.unpack(Some(&root.path().join("cache"))).unwrap();
        assert_eq!(images(&data)[..3], before[..3]);
        assert!(data.known_image(1).unwrap().path().unwrap().is_file() && !data.has_packed_images());
    }
    assert_eq!(fs::read_dir(root.path().join("cache")).unwrap().count(), 3, "one for each path, and no lock");

    let whole = fs::read(root.path().join("s-0.tar")).unwrap();
    let cut = root.path().join("cut.tar");
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    assert!(error(&cut).contains("the tar file cannot be read after sample"), "{}", error(&cut));
}

#[test]
fn files_of_an_archive_that_are_no_samples_are_named_where_a_column_is_missing() {
    let root = folder(&[]);
    let path = root.path().join("s.tar");
    let mut builder = tar::Builder::new(fs::File::create(&path).unwrap());
    for name in ["a.v2.jpg", "a.v2.cls", "b.v2.jpg", "c.npy"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        builder.append_data(&mut header, name, &b"1"[..]).unwrap();
    }
    for name in ["d.jpg", "e.jpg"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, name, "elsewhere.jpg").unwrap();
    }
    builder.finish().unwrap();
    drop(builder);
    let data = read(&path);
    for err in [data.image_column(None).unwrap_err(), data.column("label").unwrap_err()] {
        let message = err.to_string();
        for expected in [
            "there are __key__",
            "1 files of the archive ending in .npy are not read",
            "3 files of the archive are not read, such as a.v2.jpg: the name of a sample ends at its first dot",
            "2 links of the archive are not read; tar --dereference",
        ] {
            assert!(message.contains(expected), "{message}");
        }
    }
}

#[test]
fn images_that_another_process_is_unpacking_are_waited_for() {
    let root = folder(&[]);
    let (path, first, second) = (root.path().join("s.tar"), root.path().join("first"), root.path().join("second"));
    archive(&path, &[("a.jpg", picture())]);
    read(&path).unpack(Some(&first)).unwrap();
    let name = fs::read_dir(&first).unwrap().next().unwrap().unwrap().file_name();
    fs::create_dir(&second).unwrap();
    let held = Lock::beside_folder(&second.join(name), &second).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut data = read(&path);
            data.unpack(Some(&second)).map(|()| images(&data))
        });
        std::thread::sleep(Duration::from_millis(300));
        assert!(!waiting.is_finished(), "{:?}", waiting.join().unwrap());
        drop(held);
        assert_eq!(waiting.join().unwrap().unwrap(), [Ok(picture().to_vec())]);
    });
}

/// Bytes and path of an image, label and caption.
type ParquetRow<'a> = (Option<&'a [u8]>, Option<&'a str>, i64, &'a str);

/// A Parquet file as Hugging Face writes one: an image as bytes and path, a class number, a caption.
fn parquet(path: &Path, rows: &[ParquetRow<'_>]) {
    let schema = "message schema { optional group image { optional binary bytes; optional binary path (UTF8); }
                   optional int64 label; optional binary caption (UTF8); }";
    let features = r#"{"info": {"features": {"label": {"names": ["acne", "nevus"], "_type": "ClassLabel"}}}}"#;
    let properties = WriterProperties::builder()
        .set_compression(parquet::basic::Compression::SNAPPY)
        .set_key_value_metadata(Some(vec![KeyValue::new("huggingface".to_owned(), features.to_owned())]));
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties.build())).unwrap();
    for rows in rows.chunks(2) {
        let mut group = writer.next_row_group().unwrap();
        let mut write = |values: Vec<Option<ByteArray>>, full: i16| {
            let levels: Vec<i16> =
                values.iter().map(|value| if value.is_some() { full } else { full - 1 }).collect();
            let values: Vec<ByteArray> = values.into_iter().flatten().collect();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
            column.close().unwrap();
        };
        write(rows.iter().map(|row| row.0.map(|bytes| bytes.to_vec().into())).collect(), 2);
        write(rows.iter().map(|row| row.1.map(|path| path.into())).collect(), 2);
        let labels: Vec<i64> = rows.iter().map(|row| row.2).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&labels, Some(&vec![1; rows.len()]), None).unwrap();
        column.close().unwrap();
        let captions: Vec<ByteArray> = rows.iter().map(|row| row.3.into()).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&captions, Some(&vec![1; rows.len()]), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn parquet_files_of_hugging_face_have_images_class_names_and_parts() {
    let root = folder(&[("data/beside.jpg", "@")]);
    parquet(
        &root.path().join("data/train-00000-of-00001.parquet"),
        &[
            (Some(picture()), Some("a.jpg"), 1, "one"),
            (None, Some("beside.jpg"), 0, "two"),
            (Some(picture()), None, 7, "three"),
        ],
    );
    parquet(&root.path().join("data/test-00000-of-00001.parquet"), &[(None, None, 0, "four")]);
    let mut data = read(root.path());
    assert_eq!(
        (data.form(), column(&data, "caption")),
        (Form::Parquet, ["four", "one", "two", "three"].map(str::to_owned).into())
    );
    assert_eq!(column(&data, "label"), ["acne", "nevus", "acne", "7"]);
    assert_eq!(column(&data, "split"), ["test", "train", "train", "train"]);
    assert_eq!(data.class_names(data.column("label").unwrap()).unwrap(), ["acne", "nevus"]);
    assert!(data.origin(3).to_string().starts_with("row 3 of "));
    let before = images(&data);
    assert_eq!(before[0], Err("the row names no image".into()));
    assert!(before[1..].iter().all(|image| image.as_deref() == Ok(picture())), "{before:?}");
    data.unpack(Some(&root.path().join("cache"))).unwrap();
    assert_eq!(images(&data), before);

    let path = root.path().join("data/test-00000-of-00001.parquet");
    let mut bytes = fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 20);
    fs::write(&path, bytes).unwrap();
    assert!(error(&path).contains("the Parquet file cannot be read"), "{}", error(&path));
}
