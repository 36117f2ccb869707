package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.Child;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever digits a user's language has, files are named and numbers written by 0 to 9. */
class LocaleTest {
  @TempDir Path folder;

  @Test
  void digits() throws IOException {
    var words = new ArrayList<>(List.of("train"));
    words.addAll(Tiny.SETTINGS);
    words.addAll(List.of("method.name=replay", "method.replay_samples=2", "run.out=" + folder));
    var egypt = List.of("-Duser.language=ar", "-Duser.country=EG");
    try (var child = new Child(Map.of(), egypt, Main.class, words.toArray(String[]::new))) {
      var out = new ArrayList<String>();
      for (String line; (line = child.out()) != null; ) out.add(line);
      assertThat(child.exit()).as(child.messages().toString()).isZero();
      assertThat(String.join("\n", out))
          .containsPattern("\nOP [0-9.]+   BWT ")
          .containsPattern("[0-9]+ checkpoints held training up for [0-9]+\\.[0-9] s, ")
          .containsPattern("^[\\x20-\\x7e\n]*$");
    }
    try (var all = Files.walk(folder)) {
      assertThat(all.map(p -> folder.relativize(p).toString()))
          .allMatch(name -> name.matches("[\\x20-\\x7e]*"))
          .contains("checkpoints/000002", "buffer/01/000000.safetensors", "predictions/02");
    }
  }
}
