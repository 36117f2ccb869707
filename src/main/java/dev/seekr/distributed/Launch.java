package dev.seekr.distributed;

import dev.seekr.Failure;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Which of a run's processes this is, as the launcher that started it says in the environment.
 *
 * <p>The first of these that speaks is believed: {@code SEEKR_RANK}, {@code SEEKR_WORLD} and {@code
 * SEEKR_LOCAL_RANK}, which are the user's own; Open MPI's mpirun; Hydra, which starts processes for
 * MPICH and Intel MPI; Slurm's srun. A launcher may start its helpers by srun, which then counts
 * those: that is why srun comes last.
 *
 * @param rank from 0
 * @param ranks how many processes the run has
 * @param localRank from 0 among those on this machine
 * @param launcher who started it, for messages
 */
public record Launch(int rank, int ranks, int localRank, String launcher) {
  /** A run of one process, however it was started. */
  public static final Launch ALONE = new Launch(0, 1, 0, "nobody");

  /** Where a launcher writes its three numbers. */
  private record Names(String launcher, String rank, String ranks, String localRank) {
    boolean appearIn(Map<String, String> environment) {
      return Stream.of(rank, ranks, localRank).anyMatch(name -> isSet(environment, name));
    }
  }

  private static final Names
      USER = new Names("SEEKR_RANK", "SEEKR_RANK", "SEEKR_WORLD", "SEEKR_LOCAL_RANK"),
      OPEN_MPI =
          new Names(
              "Open MPI's mpirun",
              "OMPI_COMM_WORLD_RANK",
              "OMPI_COMM_WORLD_SIZE",
              "OMPI_COMM_WORLD_LOCAL_RANK"),
      HYDRA = new Names("Hydra's mpiexec", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
      SRUN = new Names("srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"),
      OLD_SRUN = new Names("srun", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID");

  /** Slurm numbers the batch script and what else is not a step of srun's from here on. */
  private static final long NO_STEP = 0xffff_fff0L;

  /**
   * What the environment says; {@link #ALONE} where no launcher speaks in it, or one of a single
   * process. Throws Failure (config) where the numbers are none, contradict each other, or are not
   * all there.
   */
  public static Launch of(Map<String, String> environment) {
    boolean step = isStep(environment);
    if (USER.appearIn(environment)) return read(USER, environment);
    if (OPEN_MPI.appearIn(environment)) return read(OPEN_MPI, environment);
    // srun says PMI_RANK too, but nothing of local ranks.
    boolean pmi = isSet(environment, HYDRA.rank) || isSet(environment, HYDRA.ranks);
    if (pmi && (!step || isSet(environment, HYDRA.localRank))) return read(HYDRA, environment);
    if (step) return read(isSet(environment, SRUN.ranks) ? SRUN : OLD_SRUN, environment);
    return ALONE;
  }

  /** Whether srun started this process: a batch script has Slurm's variables too. */
  private static boolean isStep(Map<String, String> environment) {
    if (!isSet(environment, "SLURM_STEP_ID")) return false;
    try {
      return Long.parseLong(environment.get("SLURM_STEP_ID").strip()) < NO_STEP;
    } catch (NumberFormatException e) {
      // "batch", "interactive" or "extern".
      return false;
    }
  }

  private static Launch read(Names names, Map<String, String> environment) {
    int ranks = number(names.ranks, names, environment);
    if (ranks == 0) throw Failure.config("%s is 0; expected 1 or more", names.ranks);
    int rank = below(ranks, names.rank, names, environment);
    int localRank = below(ranks, names.localRank, names, environment);
    return ranks == 1 ? ALONE : new Launch(rank, ranks, localRank, names.launcher);
  }

  private static int below(int ranks, String name, Names names, Map<String, String> environment) {
    int value = number(name, names, environment);
    if (value < ranks) return value;
    throw Failure.config(
        "%s is %d, but %s is %d; expected a number from 0 to %d",
        name, value, names.ranks, ranks, ranks - 1);
  }

  private static int number(String name, Names names, Map<String, String> environment) {
    if (!isSet(environment, name)) {
      throw Failure.config(
          "%s is not set, though others of %s, %s and %s are; set SEEKR_RANK, SEEKR_WORLD and"
              + " SEEKR_LOCAL_RANK, or start with srun or mpirun",
          name, names.rank, names.ranks, names.localRank);
    }
    String text = environment.get(name);
    try {
      int value = Integer.parseInt(text.strip());
      if (value >= 0) return value;
    } catch (NumberFormatException e) {
      // Said below, as of negative ones.
    }
    throw Failure.config("%s is '%s'; expected a whole number, 0 or more", name, text);
  }

  private static boolean isSet(Map<String, String> environment, String name) {
    String value = environment.get(name);
    return value != null && !value.isBlank();
  }
}
