package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Which cuBLAS is taken, in processes that find the emulated device's libraries where they would
 * find a GPU's: in the dynamic linker's path.
 */
class CublasTest {
  private static final Path EMULATOR = Path.of("build/cuda/emulator").toAbsolutePath();
  private static final String[] GENERATE = {
    "generate", "examples/nano", "Once upon a time", "--max-new-tokens", "3", "--backend", "cuda"
  };

  @TempDir Path folder;

  private void place(String name) throws IOException {
    Files.copy(EMULATOR.resolve(name), folder.resolve(name));
  }

  /** No library, so that one of the system is not found either. */
  private void damage(String name) throws IOException {
    Files.writeString(folder.resolve(name), "not a library at all");
  }

  private CommandLineRun generate() throws IOException, InterruptedException {
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xmx512m",
                "-Djava.io.tmpdir=" + Files.createDirectories(folder.resolve("tmp")),
                "-Dseekr.library.cuda=" + EMULATOR.resolve("libseekr_cuda.so"),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.seekr.cli.Main"));
    command.addAll(List.of(GENERATE));
    Path out = folder.resolve("out"), err = folder.resolve("err");
    var process = new ProcessBuilder(command);
    process.environment().put("LD_LIBRARY_PATH", folder.toString());
    process.redirectOutput(out.toFile()).redirectError(err.toFile());
    int code = process.start().waitFor();
    return new CommandLineRun(
        code,
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  @Test
  void version13StandsFor12() throws IOException, InterruptedException {
    place("libcuda.so.1");
    place("libcublas.so.13");
    damage("libcublas.so.12");
    var run = generate();
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.out()).isEqualTo(CommandLineRun.of(GENERATE).out()).isNotBlank();
  }

  /** And JCuda never gets as far as unpacking its own library where others find it. */
  @Test
  void withoutEitherItIsSaid() throws IOException, InterruptedException {
    place("libcuda.so.1");
    damage("libcublas.so.12");
    damage("libcublas.so.13");
    var run = generate();
    assertThat(run.code()).isEqualTo(69);
    assertThat(run.err())
        .startsWith("seekr: backend cuda: neither libcublas.so.12 nor libcublas.so.13")
        .contains(folder.resolve("libcublas.so.13") + ": file too short")
        .contains("LD_LIBRARY_PATH")
        .hasLineCount(1);
    try (var files = Files.list(folder.resolve("tmp"))) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .noneMatch(name -> name.contains("JCu"));
    }
  }
}
