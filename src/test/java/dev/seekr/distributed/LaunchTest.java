package dev.seekr.distributed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.seekr.Failure;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LaunchTest {
  private static final String USER = "SEEKR_RANK=5 SEEKR_WORLD=6 SEEKR_LOCAL_RANK=1",
      OPEN_MPI =
          "OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_LOCAL_RANK=1"
              + " PMIX_RANK=2",
      HYDRA = "PMI_RANK=3 PMI_SIZE=5 MPI_LOCALRANKID=2",
      BATCH = "SLURM_JOB_ID=7 SLURM_PROCID=0 SLURM_NTASKS=8 SLURM_LOCALID=0",
      STEP =
          "SLURM_JOB_ID=7 SLURM_STEP_ID=0 SLURM_PROCID=6 SLURM_NTASKS=8 SLURM_STEP_NUM_TASKS=8"
              + " SLURM_LOCALID=2";

  /** "A=1 B=2" as an environment. */
  private static Map<String, String> environment(String... texts) {
    var all = new HashMap<>(Map.of("HOME", "/root", "PATH", "/bin"));
    for (String text : texts) {
      for (String one : text.split(" ")) {
        int equals = one.indexOf('=');
        all.put(one.substring(0, equals), one.substring(equals + 1));
      }
    }
    return all;
  }

  private static Launch of(String... texts) {
    return Launch.of(environment(texts));
  }

  @Test
  void eachLauncherIsKnown() {
    assertThat(of(USER)).isEqualTo(new Launch(5, 6, 1, "SEEKR_RANK"));
    assertThat(of(OPEN_MPI)).isEqualTo(new Launch(2, 4, 1, "Open MPI's mpirun"));
    assertThat(of(HYDRA)).isEqualTo(new Launch(3, 5, 2, "Hydra's mpiexec"));
    assertThat(of(STEP)).isEqualTo(new Launch(6, 8, 2, "srun"));
  }

  @Test
  void nobodySpeaks() {
    assertThat(Launch.of(Map.of())).isSameAs(Launch.ALONE);
    assertThat(of("SEEKR_RANK= SEEKR_WORLD= SEEKR_LOCAL_RANK=")).isSameAs(Launch.ALONE);
    assertThat(Launch.ALONE).isEqualTo(new Launch(0, 1, 0, "nobody"));
  }

  /** Where one launcher uses another, the inner one counts this run's processes. */
  @Test
  void theFirstThatSpeaksIsBelieved() {
    assertThat(of(USER, OPEN_MPI, HYDRA, STEP).ranks()).isEqualTo(6);
    assertThat(of(OPEN_MPI, HYDRA, STEP).ranks()).isEqualTo(4);
    assertThat(of(HYDRA, STEP).ranks()).isEqualTo(5);
  }

  /** Slurm's own numbers are meant for srun's steps; a batch script is one process. */
  @ParameterizedTest
  @ValueSource(strings = {"", "batch", "interactive", "4294967290", "4294967291", "4294967294"})
  void aBatchScriptIsAlone(String step) {
    assertThat(of(BATCH, "SLURM_STEP_ID=" + step)).isSameAs(Launch.ALONE);
    assertThat(of(BATCH)).isSameAs(Launch.ALONE);
    assertThat(of(BATCH, OPEN_MPI).ranks()).as("mpirun in a batch script").isEqualTo(4);
  }

  @Test
  void aStepMayBeSmallerThanItsJob() {
    assertThat(of(STEP, "SLURM_NTASKS=64 SLURM_STEP_ID=3").ranks()).isEqualTo(8);
    assertThat(of(STEP, "SLURM_STEP_NUM_TASKS=").ranks()).as("by SLURM_NTASKS").isEqualTo(8);
  }

  /** srun --mpi=pmi2 sets PMI's variables without Hydra's. */
  @Test
  void pmiOfSrunIsNotHydra() {
    assertThat(of(STEP, "PMI_RANK=6 PMI_SIZE=8")).isEqualTo(new Launch(6, 8, 2, "srun"));
  }

  @Test
  void oneProcessIsAloneWhoeverStartedIt() {
    assertThat(of("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=1 OMPI_COMM_WORLD_LOCAL_RANK=0"))
        .isSameAs(Launch.ALONE);
    assertThat(of(STEP, "SEEKR_RANK=0 SEEKR_WORLD=1 SEEKR_LOCAL_RANK=0"))
        .as("runs of their own, started together")
        .isSameAs(Launch.ALONE);
  }

  @Test
  void blanksAroundNumbers() {
    var environment = environment(USER);
    environment.put("SEEKR_WORLD", " 6\n");
    assertThat(Launch.of(environment).ranks()).isEqualTo(6);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          SEEKR_RANK=x          | SEEKR_RANK is 'x'; expected a whole number, 0 or more
          SEEKR_RANK=-1         | SEEKR_RANK is '-1'; expected a whole number, 0 or more
          SEEKR_WORLD=1.5       | SEEKR_WORLD is '1.5'; expected a whole number, 0 or more
          SEEKR_WORLD=4294967298 | SEEKR_WORLD is '4294967298'; expected a whole number, 0 or more
          SEEKR_WORLD=0         | SEEKR_WORLD is 0; expected 1 or more
          SEEKR_RANK=6          | SEEKR_RANK is 6, but SEEKR_WORLD is 6; expected a number from 0 to 5
          SEEKR_LOCAL_RANK=7    | SEEKR_LOCAL_RANK is 7, but SEEKR_WORLD is 6; expected a number from 0 to 5
          """)
  void numbersThatCannotBe(String changed, String message) {
    fails(message, USER, changed);
  }

  @Test
  void numbersThatAreMissing() {
    String set = "set SEEKR_RANK, SEEKR_WORLD and SEEKR_LOCAL_RANK, or start with srun or mpirun";
    for (String missing : new String[] {"SEEKR_RANK", "SEEKR_WORLD", "SEEKR_LOCAL_RANK"}) {
      fails(
          missing
              + " is not set, though others of SEEKR_RANK, SEEKR_WORLD and SEEKR_LOCAL_RANK are; "
              + set,
          USER,
          OPEN_MPI,
          missing + "=");
    }
    fails(
        "MPI_LOCALRANKID is not set, though others of PMI_RANK, PMI_SIZE and MPI_LOCALRANKID are; "
            + set,
        "PMI_RANK=1 PMI_SIZE=2");
    fails(
        "SLURM_NTASKS is not set, though others of SLURM_PROCID, SLURM_NTASKS and SLURM_LOCALID"
            + " are; "
            + set,
        STEP,
        "SLURM_NTASKS= SLURM_STEP_NUM_TASKS=");
  }

  private static void fails(String message, String... texts) {
    var failure = catchThrowableOfType(Failure.class, () -> of(texts));
    assertThat(failure).isNotNull().hasMessage(message);
    assertThat(failure.exit.code).isEqualTo(78);
  }
}
