package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import dev.seekr.Failure.Exit;
import dev.seekr.ops.ffm.FfmOps;
import dev.seekr.ops.ffm.NativeLibrary;
import dev.seekr.ops.ffm.OneDnn;
import dev.seekr.tensor.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeLibraryTest {
  private static final String FOLDER = "org/bytedeco/dnnl/linux-x86_64";
  private static final String FILE = "libgomp.so.1";

  @TempDir Path temp;
  private byte[] wanted;

  @BeforeEach
  void unpackIntoATemporaryFolder() throws IOException {
    System.setProperty("seekr.native.dir", temp.resolve("native").toString());
    try (var in = getClass().getResourceAsStream("/" + FOLDER + "/" + FILE)) {
      wanted = in.readAllBytes();
    }
  }

  @AfterEach
  void restore() {
    System.clearProperty("seekr.native.dir");
    System.clearProperty("seekr.library.cpu");
  }

  private static Failure failure(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    Failure f = catchThrowableOfType(Failure.class, call);
    assertThat(f).isNotNull();
    assertThat(f.exit).isEqualTo(Exit.BACKEND);
    return f;
  }

  @Test
  void unpacksOnce() throws IOException {
    Path file = NativeLibrary.unpack(FOLDER, FILE);
    assertThat(file).startsWith(temp.resolve("native")).hasFileName(FILE).hasBinaryContent(wanted);
    assertThat(file.getParent().getFileName().toString()).matches("libgomp.so.1-[0-9a-f]{8}");
    Object key =
        Files.readAttributes(file, java.nio.file.attribute.BasicFileAttributes.class).fileKey();
    assertThat(NativeLibrary.unpack(FOLDER, FILE)).isEqualTo(file);
    assertThat(
            Files.readAttributes(file, java.nio.file.attribute.BasicFileAttributes.class).fileKey())
        .isEqualTo(key);
  }

  @Test
  void replacesADamagedFile() throws IOException {
    Path file = NativeLibrary.unpack(FOLDER, FILE);
    byte[] damaged = wanted.clone();
    damaged[damaged.length / 2] ^= 1;
    Files.write(file, damaged);
    assertThat(NativeLibrary.unpack(FOLDER, FILE)).isEqualTo(file).hasBinaryContent(wanted);
    Files.write(file, new byte[0]);
    assertThat(NativeLibrary.unpack(FOLDER, FILE)).hasBinaryContent(wanted);
    try (var left = Files.list(file.getParent())) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void severalAtOnce() throws Exception {
    int n = 8;
    var start = new CountDownLatch(1);
    try (var pool = Executors.newFixedThreadPool(n)) {
      List<Future<byte[]>> results = new ArrayList<>();
      for (int i = 0; i < n; i++) {
        results.add(
            pool.submit(
                () -> {
                  start.await();
                  return Files.readAllBytes(NativeLibrary.unpack(FOLDER, FILE));
                }));
      }
      start.countDown();
      for (var r : results) assertThat(r.get()).isEqualTo(wanted);
    }
    try (var left = Files.walk(temp.resolve("native")).filter(Files::isRegularFile)) {
      assertThat(left).hasSize(1);
    }
  }

  @Test
  void aFolderThatCannotBeWritten() throws IOException {
    // A file in the folder's place: not even root can write below it.
    Files.writeString(temp.resolve("native"), "");
    assertThat(failure(() -> NativeLibrary.unpack(FOLDER, FILE)))
        .hasMessageContaining(temp.resolve("native").toString())
        .hasMessageContaining("SEEKR_NATIVE_DIR");
  }

  @Test
  void aLibraryThatIsNotInTheJar() {
    assertThat(failure(() -> NativeLibrary.unpack("native", "libnone.so")))
        .hasMessageContaining("native/libnone.so")
        .hasMessageContaining("build Seekr again with: make");
  }

  /** Each library is built, and another named, in its own way. */
  @ParameterizedTest
  @CsvSource({
    "libseekr_cpu.so, make, seekr.library.cpu",
    "libseekr_cuda.so, make cuda && make, seekr.library.cuda",
  })
  void whatToDoForAKernelLibrary(String file, String command, String property) throws IOException {
    String expected = "build it with: %s (or name one with -D%s=FILE)".formatted(command, property);
    assertThat(failure(() -> NativeLibrary.unpack("absent", file))).hasMessageEndingWith(expected);
    Path broken = Files.writeString(temp.resolve(file), "not a library at all");
    assertThat(failure(() -> NativeLibrary.load(broken))).hasMessageEndingWith(expected);
    Path other =
        Files.copy(
            NativeLibrary.unpack(FOLDER, FILE),
            Files.createDirectory(temp.resolve("other")).resolve(file));
    assertThat(failure(() -> new FfmOps(other, OneDnn.load(), DType.F32, "auto", 1, "auto")))
        .hasMessageContaining("has no sk_create")
        .hasMessageEndingWith(expected);
    System.setProperty(property, temp.resolve("absent.so").toString());
    boolean cpu = file.contains("cpu");
    assertThat(failure(cpu ? NativeLibrary::cpu : NativeLibrary::cuda))
        .hasMessageEndingWith(expected);
  }

  @Test
  void aGivenLibrary() {
    System.setProperty("seekr.library.cpu", temp.resolve("absent.so").toString());
    assertThat(failure(NativeLibrary::cpu)).hasMessageContaining("absent.so");
  }

  @Test
  void aDependencyThatIsMissing() throws IOException {
    Path file = temp.resolve("broken.so");
    String text = new String(wanted, StandardCharsets.ISO_8859_1);
    assertThat(text).contains("libc.so.6");
    Files.write(file, text.replace("libc.so.6", "libq.so.9").getBytes(StandardCharsets.ISO_8859_1));
    assertThat(failure(() -> NativeLibrary.load(file)))
        .hasMessageContaining("broken.so")
        .hasMessageContaining("libq.so.9: cannot open shared object file");
  }

  @Test
  void aFileThatIsNoLibrary() throws IOException {
    Path file = Files.writeString(temp.resolve("text.so"), "not a library at all");
    assertThat(failure(() -> NativeLibrary.load(file))).hasMessageContaining("text.so");
  }

  @Test
  void aLibraryOfAnotherVersion() throws IOException {
    Path file = NativeLibrary.unpack(FOLDER, FILE);
    assertThat(failure(() -> new FfmOps(file, OneDnn.load(), DType.F32, "auto", 1, "auto")))
        .hasMessageContaining("has no sk_create");
  }
}
