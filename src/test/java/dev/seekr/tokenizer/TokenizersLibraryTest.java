package dev.seekr.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** In processes of their own, as a library is loaded but once in each. */
class TokenizersLibraryTest {
  private static final String NAME = "libtokenizers.so";

  @TempDir Path home;

  /** Encodes with the tokenizer that is its argument. */
  static final class Encode {
    public static void main(String[] args) {
      try (var tokenizer = Tokenizer.load(Path.of(args[0]))) {
        System.out.print(List.of(tokenizer.encode("the answer").length));
      }
    }
  }

  private Process start() throws IOException {
    var builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-Duser.home=" + home,
            "-Dseekr.native.dir=" + home.resolve("native"),
            "-cp",
            System.getProperty("java.class.path"),
            Encode.class.getName(),
            Path.of("src/test/resources/tokenizer").toAbsolutePath().toString());
    // A binding's own settings do not count.
    builder.environment().put("RUST_LIBRARY_PATH", home.resolve("elsewhere").toString());
    builder.environment().put("DJL_CACHE_DIR", home.resolve("elsewhere").toString());
    return builder.directory(home.toFile()).redirectErrorStream(true).start();
  }

  private static void encodes(Process process) throws Exception {
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(output).isEqualTo("[2]");
    assertThat(process.exitValue()).isZero();
  }

  private Path library() throws IOException {
    try (var files = Files.walk(home).filter(Files::isRegularFile)) {
      Path[] all = files.toArray(Path[]::new);
      assertThat(all).as("files unpacked").hasSize(1);
      assertThat(all[0]).hasFileName(NAME).startsWith(home.resolve("native"));
      return all[0];
    }
  }

  private static byte[] inJar() {
    try (var in = Tokenizer.class.getResourceAsStream("/native/lib/linux-x86_64/cpu/" + NAME)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aDamagedLibraryIsUnpackedAnew() throws Exception {
    encodes(start());
    Path library = library();
    assertThat(library).hasBinaryContent(inJar());
    try (var file = FileChannel.open(library, StandardOpenOption.WRITE)) {
      file.truncate(3_000_000);
    }
    encodes(start());
    assertThat(library()).isEqualTo(library).hasBinaryContent(inJar());
    byte[] changed = inJar();
    changed[changed.length / 2] ^= 1;
    Files.write(library, changed);
    encodes(start());
    assertThat(library()).hasBinaryContent(inJar());
    Files.delete(library);
    encodes(start());
    assertThat(library()).hasBinaryContent(inJar());
  }

  @Test
  void severalProcessesAtOnce() throws Exception {
    Process[] processes = {start(), start(), start()};
    for (Process process : processes) encodes(process);
    assertThat(library()).hasBinaryContent(inJar());
  }
}
