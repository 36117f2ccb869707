package dev.seekr.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunRecordTest {
  @TempDir Path folder;

  private RunRecord run(String name, int seed, String asked, String computedBy) throws IOException {
    Path run = HandmadeRuns.run(folder, name, 50, "train.seed=" + seed, "run.backend=" + asked);
    Path log = run.resolve("log.jsonl");
    Files.writeString(
        log,
        Files.readString(log).replace("\"backend\":\"cpu\"", "\"backend\":\"" + computedBy + "\""));
    return RunRecord.read(run);
  }

  /** Runs by auto are beside those by what it chose, and apart from those by what it did not. */
  @Test
  void autoIsWhatItChose() throws IOException {
    String cpu = "libseekr_cpu.so: avx512, 2 threads; GEMM: oneDNN; chosen because there is no GPU";
    String cuda = "NVIDIA H100, libseekr_cuda.so: sm_90; GEMM: cuBLAS";
    var runs =
        List.of(
            run("a", 1, "auto", cpu),
            run("b", 2, "cpu", cpu),
            run("c", 3, "auto", cuda),
            run("d", 4, "cuda", cuda),
            run("e", 5, "auto", "of a later version"));
    assertThat(runs)
        .extracting(run -> run.settings().get("run.backend"))
        .containsExactly("cpu", "cpu", "cuda", "cuda", "auto");
    assertThat(runs.getFirst().config().texts()).containsEntry("run.backend", "auto");
    assertThat(Results.of(runs).rows()).extracting(Results.Row::runs).containsExactly(2, 2, 1);
  }
}
