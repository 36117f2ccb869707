package dev.seekr.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.seekr.Failure;
import dev.seekr.disk.Fields;
import dev.seekr.disk.Fingerprint;
import dev.seekr.disk.Reading;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What belongs to a checkpoint, with size and SHA-256 of every file; it is written last.
 *
 * @param attempt of the process that wrote it
 * @param stage that the run was in, from 0
 * @param arithmetic what the bits of results depend on
 * @param files of the checkpoint's folder, by name
 * @param references files of the run that it goes on reading, by path from the run's folder
 */
record Manifest(
    int attempt,
    int stage,
    String arithmetic,
    Map<String, Fingerprint> files,
    Map<String, Fingerprint> references) {
  static final String FILE = "manifest.json";
  private static final int VERSION = 1, MOST = Integer.MAX_VALUE;

  String text() {
    var json = new ObjectMapper().createObjectNode();
    json.put("version", VERSION).put("attempt", attempt).put("stage", stage);
    json.put("arithmetic", arithmetic);
    put(json.putArray("files"), files);
    put(json.putArray("references"), references);
    return json.toPrettyString() + "\n";
  }

  private static void put(ArrayNode list, Map<String, Fingerprint> files) {
    files.forEach(
        (path, f) ->
            list.addObject().put("path", path).put("size", f.size()).put("sha256", f.sha256()));
  }

  /** Of a checkpoint's folder. Throws Failure (65, 66) where it cannot be read or understood. */
  static Manifest read(Path checkpoint) {
    Fields json = Fields.read(checkpoint.resolve(FILE));
    int version = json.whole("version", 0, MOST);
    if (version != VERSION) throw json.wrong("version", VERSION + ", which this Seekr reads");
    return new Manifest(
        json.whole("attempt", 0, MOST - 1), // there is a next one
        json.whole("stage", 0, MOST),
        json.text("arithmetic"),
        files(json, "files"),
        files(json, "references"));
  }

  private static Map<String, Fingerprint> files(Fields json, String list) {
    var files = new LinkedHashMap<String, Fingerprint>();
    for (Fields file : json.sections(list)) {
      String path = file.text("path");
      if (!within(path)) throw file.wrong("path", "a path within the folder");
      if (files.put(path, Fingerprint.read(file)) != null)
        throw file.wrong("path", "one that is there once");
    }
    return files;
  }

  private static boolean within(String path) {
    try {
      Path normal = Path.of(path.strip()).normalize();
      return !normal.isAbsolute() && !normal.startsWith("..") && !normal.toString().isEmpty();
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /** Reads everything again. Throws Failure (65) naming the first file that is not as it was. */
  void verify(Path checkpoint, Path run) {
    files.forEach((path, was) -> verify(checkpoint.resolve(path), was));
    references.forEach((path, was) -> verify(run.resolve(path), was));
  }

  private static void verify(Path file, Fingerprint was) {
    if (!Files.exists(file)) throw Failure.data("%s: is missing", file);
    long size = Reading.size(file);
    if (size != was.size())
      throw Failure.data("%s: has %d bytes, of %d that were written", file, size, was.size());
    if (!Reading.fingerprint(file).equals(was))
      throw Failure.data("%s: holds other bytes than were written", file);
  }
}
