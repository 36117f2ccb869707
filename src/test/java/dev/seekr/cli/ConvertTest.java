package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.disk.Disk;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.safetensors.TensorSource;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConvertTest {
  private static final Path NANO = Path.of("examples/nano");
  @TempDir Path folder;

  /** As torch.compile leaves it: it says what to do, and after that answers as before. */
  @Test
  void aCompiledModelAnswersAsTheModelDoes() throws IOException {
    Path compiled = Files.createDirectory(folder.resolve("compiled"));
    for (String name : new String[] {"config.json", "tokenizer.json"})
      Files.copy(NANO.resolve(name), compiled.resolve(name));
    try (var nano = TensorSource.open(NANO)) {
      var tensors = new LinkedHashMap<String, Tensor>();
      for (String name : nano.names()) tensors.put("_orig_mod." + name, nano.get(name));
      Disk.write(compiled.resolve("model.safetensors"), SafetensorsWriter.content(tensors));
    }
    var refused = generate(compiled);
    assertThat(refused.code()).isEqualTo(65);
    assertThat(refused.err())
        .contains("every name has the prefix '_orig_mod.'")
        .contains("'./seekr convert " + compiled + " OUT' takes it off");

    Path out = folder.resolve("out");
    var converted = CommandLineRun.of("convert", compiled.toString(), out.toString());
    assertThat(converted.err()).isEmpty();
    assertThat(converted.code()).isZero();
    assertThat(converted.out())
        .contains("names are those of a wrapper")
        .endsWith(out + " is made.\n");
    var expected = generate(NANO);
    assertThat(expected.out()).isNotBlank();
    assertThat(generate(out)).isEqualTo(expected);

    var again = CommandLineRun.of("convert", compiled.toString(), out.toString());
    assertThat(again.code()).isEqualTo(73);
    assertThat(again.err()).contains("is there already");
  }

  private static CommandLineRun generate(Path model) {
    return CommandLineRun.of(
        "generate", model.toString(), "The answer is", "--max-new-tokens", "8");
  }

  @ParameterizedTest
  @CsvSource({
    "--dtype, int8, 'expected f32, bf16 or f16'",
    "--shard-size, 5, 'expected a whole number of MB or GB'",
    "--shard-size, 0GB, 'expected a whole number of MB or GB'"
  })
  void optionsAreChecked(String option, String value, String message) {
    String out = folder.resolve("out").toString();
    var run = CommandLineRun.of("convert", NANO.toString(), out, option, value);
    assertThat(run.code()).isEqualTo(64);
    assertThat(run.err()).contains(message);
  }
}
