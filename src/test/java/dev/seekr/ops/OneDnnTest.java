package dev.seekr.ops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.ops.ffm.FfmOps;
import dev.seekr.ops.ffm.NativeLibrary;
import dev.seekr.ops.ffm.OneDnn;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.io.File;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class OneDnnTest {
  @Test
  void saysWhatItIs() {
    assertThat(OneDnn.load().description()).matches("oneDNN \\d+\\.\\d+\\.\\d+");
    assertThat(OneDnn.load().sgemm().address()).isNotZero();
  }

  /** Worker threads of its own would fight the kernels' for the CPUs. */
  @Test
  void startsNoThreads() throws Exception {
    // A process of its own: oneDNN is loaded but once in each, and this one starts no other
    // threads meanwhile.
    String inJar = "/org/bytedeco/dnnl/linux-x86_64/libdnnl.so.3";
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
                String.join(File.pathSeparator, home(CountThreads.class), home(OneDnn.class), jar),
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

  /** Prints how many threads loading oneDNN and multiplying with it add. */
  static final class CountThreads {
    public static void main(String[] args) {
      try (var memory = new Memory("test")) {
        var a = memory.allocate("a", DType.F32, 300, 300);
        var y = memory.allocate("y", DType.F32, 300, 300);
        int before = threads();
        var blas = OneDnn.load();
        int loaded = threads();
        try (var ops = new FfmOps(NativeLibrary.cpu(), blas, DType.F32, "auto", 1, "auto")) {
          int contexts = threads();
          ops.linearForward(y, a, a, false);
          System.out.println(loaded - before + threads() - contexts + " more");
        }
      }
    }

    private static int threads() {
      return Objects.requireNonNull(new File("/proc/self/task").list()).length;
    }
  }
}
