package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Fingerprint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestTest {
  private static final Fingerprint ABC = Fingerprint.of(Disk.Content.of("abc"));

  @TempDir Path run;

  private Path checkpoint() throws IOException {
    return Files.createDirectories(run.resolve("checkpoints/000001"));
  }

  private Manifest read(String text) throws IOException {
    Files.writeString(checkpoint().resolve("manifest.json"), text);
    return Manifest.read(checkpoint());
  }

  private static void fails(
      String message, org.assertj.core.api.ThrowableAssert.ThrowingCallable a) {
    var failure = catchThrowableOfType(Failure.class, a);
    assertThat(failure).isNotNull();
    assertThat(failure.exit.code).isEqualTo(65);
    assertThat(failure).hasMessage(message);
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    var files = new LinkedHashMap<String, Fingerprint>();
    files.put("weights.safetensors", new Fingerprint(Long.MAX_VALUE, "0f".repeat(32)));
    files.put("état \"1\".json", ABC);
    var manifest =
        new Manifest(3, 2, "é; \"CPU\"\n", files, Map.of("buffer/01/000000.safetensors", ABC));
    assertThat(read(manifest.text())).isEqualTo(manifest);
    assertThat(read(manifest.text()).files().keySet()).containsExactlyElementsOf(files.keySet());
    var empty = new Manifest(0, 0, "", Map.of(), Map.of());
    assertThat(read(empty.text())).isEqualTo(empty);
    assertThat(empty.text())
        .isEqualTo(
            """
            {
              "version" : 1,
              "attempt" : 0,
              "stage" : 0,
              "arithmetic" : "",
              "files" : [ ],
              "references" : [ ]
            }
            """);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          version    | 2        | version is 2; expected 1, which this Seekr reads
          version    | "1"      | version is "1"; expected a whole number from 0 to 2147483647
          attempt    | -1       | attempt is -1; expected a whole number from 0 to 2147483646
          stage      | 0.0      | stage is 0.0; expected a whole number from 0 to 2147483647
          arithmetic | null     | arithmetic is null; expected a text
          files      | {}       | files is {}; expected a list
          references | [5]      | references[0]: expected an object, found 5
          files      | [{"path": 5}] | files[0]: path is 5; expected a text
          files      | [{"path": "a", "size": "3"}] | files[0]: size is "3"; expected a whole number
          files      | [{"path": "a", "size": 3}]   | files[0]: sha256 is missing; expected a text
          """)
  void otherContents(String field, String value, String message) throws IOException {
    String text = new Manifest(0, 0, "", Map.of(), Map.of()).text();
    String wrong =
        text.replaceAll(
            "\"" + field + "\" : [^,}]*?(,?)\n", "\"%s\" : %s$1\n".formatted(field, value));
    assertThat(wrong).isNotEqualTo(text);
    String at = message.contains("[0]") ? ": " : ": ";
    fails(checkpoint().resolve("manifest.json") + at + message, () -> read(wrong));
  }

  /** Nothing outside of the run is read in its name. */
  @ParameterizedTest
  @ValueSource(
      strings = {"", " ", "..", "../x", "a/../../x", "/etc/passwd", "a/../../x/../x", "a\\u0000b"})
  void pathsThatLeadElsewhere(String path) throws IOException {
    String file = "{\"path\": \"" + path + "\", \"size\": 3, \"sha256\": \"" + ABC.sha256() + "\"}";
    for (String list : new String[] {"files", "references"}) {
      String text = new Manifest(0, 0, "", Map.of(), Map.of()).text();
      String wrong = text.replace("\"" + list + "\" : [ ]", "\"" + list + "\" : [" + file + "]");
      fails(
          "%s: %s[0]: path is \"%s\"; expected a path within the folder"
              .formatted(checkpoint().resolve("manifest.json"), list, path),
          () -> read(wrong));
    }
  }

  @Test
  void missingOrUnreadable() throws IOException {
    Path file = checkpoint().resolve("manifest.json");
    var missing = catchThrowableOfType(Failure.class, () -> Manifest.read(checkpoint()));
    assertThat(missing.exit.code).isEqualTo(66);
    assertThat(missing).hasMessage(file + ": cannot be read: no such file or folder");
    fails(file + ": expected an object, found nothing", () -> read(""));
  }

  /** The first file that is not as it was is named, with what is the matter. */
  @Test
  void everythingIsReadAgain() throws IOException {
    Path a = Files.writeString(checkpoint().resolve("a"), "abc");
    Path b = Files.writeString(Files.createDirectory(run.resolve("buffer")).resolve("b"), "abc");
    var manifest = new Manifest(1, 0, "", Map.of("a", ABC), Map.of("buffer/b", ABC));
    manifest.verify(checkpoint(), run);
    for (Path file : new Path[] {a, b}) {
      Files.writeString(file, "abd");
      fails(
          file + ": holds other bytes than were written", () -> manifest.verify(checkpoint(), run));
      Files.writeString(file, "ab");
      fails(
          file + ": has 2 bytes, of 3 that were written", () -> manifest.verify(checkpoint(), run));
      Files.writeString(file, "abc\n");
      fails(
          file + ": has 4 bytes, of 3 that were written", () -> manifest.verify(checkpoint(), run));
      Files.delete(file);
      fails(file + ": is missing", () -> manifest.verify(checkpoint(), run));
      Files.writeString(file, "abc");
    }
    manifest.verify(checkpoint(), run);
  }
}
