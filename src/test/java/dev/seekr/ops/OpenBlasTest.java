package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.io.File;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class OpenBlasTest {
  @Test
  void saysWhatItIs() {
    assertThat(OpenBlas.load().description()).matches("OpenBLAS \\d+\\.\\d+.*");
    assertThat(OpenBlas.load().sgemm().address()).isNotZero();
  }

  /** Worker threads of its own would fight the kernels' for the CPUs. */
  @Test
  void startsNoThreads() throws Exception {
    // A process of its own: OpenBLAS is loaded but once in each, and this one starts no other
    // threads meanwhile.
    String inJar = "/org/bytedeco/openblas/linux-x86_64/libopenblas.so.0";
    var url = (JarURLConnection) getClass().getResource(inJar).openConnection();
    String jar = Path.of(url.getJarFileURL().toURI()).toString();
    var process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-UseDynamicNumberOfCompilerThreads",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-Dseekr.library.cpu=" + NativeLibrary.cpu(),
                "-cp",
                String.join(
                    File.pathSeparator, home(CountThreads.class), home(OpenBlas.class), jar),
                CountThreads.class.getName())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(output.strip()).isEqualTo("0 more");
  }

  private static String home(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  /** Prints how many threads loading OpenBLAS and multiplying with it add. */
  static final class CountThreads {
    public static void main(String[] args) {
      try (var memory = new Memory("test")) {
        var a = memory.allocate("a", DType.F32, 300, 300);
        var y = memory.allocate("y", DType.F32, 300, 300);
        int before = threads();
        var blas = OpenBlas.load();
        int loaded = threads();
        try (var ops = new NativeOps(NativeLibrary.cpu(), blas, 1, "auto")) {
          int contexts = threads();
          ops.matmul(y, a, a, false, false, false);
          System.out.println(loaded - before + threads() - contexts + " more");
        }
      }
    }

    private static int threads() {
      return Objects.requireNonNull(new File("/proc/self/task").list()).length;
    }
  }
}
