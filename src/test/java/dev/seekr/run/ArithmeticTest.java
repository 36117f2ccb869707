package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ArithmeticTest {
  private static String of(int threads, String isa) {
    try (Ops ops = TinyModel.cpu(threads, isa)) {
      String text = Arithmetic.of(ops);
      assertThat(text).startsWith(ops.arithmetic() + "; ").hasLineCount(1);
      return text;
    }
  }

  /**
   * The instruction set counts and the number of threads does not: results are of the same bits.
   */
  @Test
  void whatBitsDependOn() {
    assertThat(of(1, "scalar")).isEqualTo(of(2, "scalar")).isNotEqualTo(of(1, "avx2"));
  }

  @Test
  void theProcessorIsNamed() throws IOException {
    String model =
        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
            .filter(line -> line.startsWith("model name"))
            .findFirst()
            .orElseThrow();
    assertThat(of(1, "scalar")).endsWith("; " + model.split(":", 2)[1].strip());
  }
}
