package dev.seekr.distributed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a machine without MPI says. {@link MpiRanks} tests the rest, see scripts/mpi-test. */
class MpiTest {
  @TempDir Path folder;

  private static void fails(Path library, String message) {
    var failure =
        catchThrowableOfType(
            Failure.class, () -> new Mpi(new Launch(0, 2, 0, "srun"), library, 1).close());
    assertThat(failure).isNotNull().hasMessage(message);
    assertThat(failure.exit.code).isEqualTo(69);
  }

  @Test
  void theLibraryIsNotThere() {
    Path file = folder.resolve("libseekr_mpi.so");
    fails(
        file,
        file
            + ", which speaks with MPI, is not there or cannot be read; build it where the run shall"
            + " be, with: make mpi (or name one with -Dseekr.library.mpi=FILE)");
  }

  @Test
  void theLibraryIsNone() throws IOException {
    Path file = Files.writeString(folder.resolve("libseekr_mpi.so"), "text");
    fails(
        file,
        "cannot load %s: %s: file too short; load the MPI that it was built with (module load), or build it again: make mpi"
            .formatted(file, file));
  }

  @Test
  void theLibraryIsNotNamed() {
    assertThat(System.getProperty("seekr.library.mpi")).isNull();
    var failure = catchThrowableOfType(Failure.class, () -> Mpi.open(Launch.ALONE).close());
    assertThat(failure)
        .isNotNull()
        .hasMessage(
            "a run of several processes needs -Dseekr.library.mpi=FILE, the library that 'make mpi'"
                + " builds; ./seekr names it");
    assertThat(failure.exit.code).isEqualTo(69);
  }
}
