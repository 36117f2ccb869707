package dev.seekr.ops.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.Child;
import dev.seekr.distributed.Slice;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes, {@link NcclRank}, that have emulated devices and the stand-in for NCCL. */
class NcclTest {
  private static final Path EMULATOR = Path.of("build/cuda/emulator").toAbsolutePath();

  @TempDir Path folder;
  private final List<Child> children = new ArrayList<>();

  @AfterEach
  void end() {
    children.forEach(Child::close);
  }

  private Map<String, String> environment(int devices) {
    var environment = new HashMap<String, String>();
    environment.put("SEEKR_EMULATOR_DEVICES", "" + devices);
    environment.put("SEEKR_NCCL_ID", folder.resolve("id").toString());
    return environment;
  }

  private Child start(Map<String, String> environment, String what, int rank, int ranks) {
    var options = List.of("-Xmx256m", "-Dseekr.cuda.emulator=" + EMULATOR);
    var child =
        new Child(
            environment, options, NcclRank.class, what, "" + rank, "" + ranks, folder.toString());
    children.add(child);
    return child;
  }

  private List<Child> start(String what, int ranks, Map<String, String> environment) {
    for (int r = 0; r < ranks; r++) start(environment, what, r, ranks);
    return children;
  }

  private static void endWell(Child child) {
    assertThat(child.messages()).isEmpty();
    assertThat(child.exit()).isZero();
  }

  private byte[] result(String name, int rank) throws IOException {
    return Files.readAllBytes(folder.resolve(name + "." + rank));
  }

  private float[] floats(String name, DType type, int rank) throws IOException {
    byte[] bytes = result(name, rank);
    long n = bytes.length / type.bytes;
    return new Tensor(type, new long[] {n}, MemorySegment.ofArray(bytes)).toFloats();
  }

  /** As the type holds it. */
  private static float held(float x, DType type) {
    return type == DType.F32 ? x : DType.fromBf16(DType.toBf16(x));
  }

  private static float[] values(int rank, int n, DType type) {
    float[] values = NcclRank.values(rank, n);
    for (int i = 0; i < n; i++) values[i] = held(values[i], type);
    return values;
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void tensors(int ranks) throws IOException {
    start("tensors", ranks, environment(ranks)).forEach(NcclTest::endWell);
    boolean orderMatters = false;
    for (DType type : NcclRank.TYPES)
      for (int n : NcclRank.sizes(ranks)) {
        String name = type + "-" + n;
        float[] sum = new float[n], gathered = new float[n], upwards = new float[n];
        for (int r = 0; r < ranks; r++) {
          float[] values = values(r, n, type), last = values(ranks - 1 - r, n, type);
          Slice part = Slice.of(n, r, ranks);
          for (int i = 0; i < n; i++) sum[i] += values[i];
          for (int i = 0; i < n; i++) upwards[i] += last[i];
          System.arraycopy(values, (int) part.from(), gathered, (int) part.from(), (int) part.n());
        }
        for (int i = 0; i < n; i++) {
          orderMatters |= sum[i] != upwards[i];
          sum[i] = held(sum[i], type);
        }
        for (int r = 0; r < ranks; r++) {
          Slice part = Slice.of(n, r, ranks);
          int from = (int) part.from(), to = from + (int) part.n();
          assertThat(floats("sum-" + name, type, r))
              .as("sum-%s.%d", name, r)
              .isEqualTo(Arrays.copyOfRange(sum, from, to));
          assertThat(floats("gather-" + name, type, r))
              .as("gather-%s.%d", name, r)
              .isEqualTo(gathered);
          assertThat(floats("broadcast-" + name, type, r))
              .as("broadcast-%s.%d", name, r)
              .isEqualTo(values(0, n, type));
        }
      }
    assertThat(orderMatters || ranks == 2).as("sums depend on their order").isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void wire(int ranks) throws IOException {
    start("wire", ranks, environment(ranks)).forEach(NcclTest::endWell);
    for (int n : NcclRank.BYTES)
      for (int rank = 0; rank < ranks; rank++) {
        var exchanged = ByteBuffer.allocate(ranks * n);
        var gathered = ByteBuffer.allocate(ranks * n);
        for (int from = 0; from < ranks; from++) {
          exchanged.put(NcclRank.bytes(from, rank, n));
          gathered.put(NcclRank.bytes(from, 0, n));
        }
        assertThat(result("exchange-" + n, rank)).isEqualTo(exchanged.array());
        assertThat(result("gather-" + n, rank)).isEqualTo(gathered.array());
        assertThat(result("in-place-" + n, rank)).isEqualTo(gathered.array());
        assertThat(result("broadcast-" + n, rank)).isEqualTo(NcclRank.bytes(0, 0, n));
      }
    for (int rank = 0; rank < ranks; rank++) {
      var round = ByteBuffer.allocate(ranks * 10_000);
      for (int from = 0; from < ranks; from++) round.put(NcclRank.bytes(from, rank, 10_000));
      var rounds = ByteBuffer.allocate(20 * round.capacity());
      for (int i = 0; i < 20; i++) rounds.put(round.array());
      assertThat(result("beside", rank)).isEqualTo(rounds.array());
    }
    for (int rank = 0; rank < ranks; rank++)
      assertThat(floats("second", DType.F32, rank)).containsExactly(NcclRank.values(0, 5));
  }

  /** Where a batch system shows each process one device, all of them have number 0. */
  @Test
  void theOnlyDeviceOfTwoMachines() {
    var first = environment(1);
    var second = environment(1);
    first.put("SLURMD_NODENAME", "n1");
    second.put("SLURMD_NODENAME", "n2");
    start(first, "join", 0, 2);
    start(second, "join", 1, 2);
    for (Child child : children) {
      assertThat(child.out()).isEqualTo("NCCL 2.28.9, 2 processes");
      endWell(child);
    }
  }

  private void refused(int exit, String... words) {
    for (Child child : children) {
      assertThat(child.messages()).singleElement().asString().contains(words);
      assertThat(child.exit()).isEqualTo(exit);
    }
  }

  @Test
  void oneDeviceForTwo() {
    var environment = environment(1);
    environment.put("SLURMD_NODENAME", "n7");
    start("join", 2, environment);
    refused(
        78,
        "ranks 0, 1 have the same device: emulated CUDA device",
        "UUID e0e0e0e0e0e0e0e0e0e0e0e0e0e0e000, on n7; start at most");
  }

  @Test
  void fewerDevicesThanProcesses() {
    start(environment(2), "join", 2, 3);
    refused(
        78, "process 2 of its machine, counted from 0, and there are 2 devices; start at most 2");
  }

  /** NCCL's own words, in every process. */
  @Test
  void whatNcclRefuses() {
    var environment = environment(1);
    environment.put("NCCL_MULTI_RANK_GPU_ENABLE", "1");
    start("join", 2, environment);
    for (Child child : children) {
      var said = child.messages();
      assertThat(said).hasSize(2);
      assertThat(said.getFirst()).startsWith("emulated NCCL: ");
      assertThat(said.getLast())
          .startsWith("ncclCommInitRank (rank ")
          .contains("Duplicate GPU detected: ranks ", "; NCCL_DEBUG=INFO makes NCCL 2.28.9 say");
      assertThat(child.exit()).isIn(70, 69); // who finds out, who is told
    }
    assertThat(children).anyMatch(child -> child.exit() == 70);
  }

  @Test
  void noFile() {
    var environment = environment(2);
    environment.put("SEEKR_NCCL_ID", "");
    start(environment, "join", 0, 2);
    refused(78, "SEEKR_NCCL_ID is not set; name a file in a folder that all 2 processes see");
  }

  private static List<String> lines(Child child, int n) {
    var lines = new ArrayList<String>();
    for (int i = 0; i < n; i++) lines.add(child.out());
    assertThat(child.out()).isNull();
    return lines;
  }

  @Test
  void processesThatDoNotDoTheSame() {
    start("misuse", 2, environment(2));
    for (Child child : children) {
      var said = lines(child, 6);
      assertThat(said.get(0))
          .containsPattern("^counts: (70|69) ncclBroadcast: ")
          .contains(
              "rank 0 asks for broadcast of 5 float32, rank 0; rank 1 asks for broadcast of 7 float32, rank 0");
      assertThat(said.get(1))
          .containsPattern("^types: (70|69) ncclGroupEnd: ")
          .contains("reduce of 5 float32, rank 0; rank 1 asks for reduce of 5 bfloat16, rank 0");
      assertThat(said.get(2))
          .containsPattern("^order: (70|69) ncclGroupEnd: ")
          .contains("reduce of 5 float32, rank 0; rank 1 asks for broadcast of 5 float32, rank 0");
      assertThat(said.get(3))
          .containsPattern("^memory: (70|69) ncclBroadcast: ")
          .contains("what is sent lies outside every allocation of the device");
      assertThat(said.get(4)).isEqualTo("join: done");
      assertThat(said.get(5))
          .startsWith("again: 69 ncclCommInitRank")
          .contains("of an earlier start");
      assertThat(child.exit()).isZero();
    }
  }

  @Test
  void whatOneProcessDoesWrong() throws IOException {
    var child = start(environment(2), "alone", 0, 1);
    var said = lines(child, 8);
    assertThat(said.get(0)).isEqualTo("right: done");
    assertThat(said.get(1))
        .startsWith("foreign stream: 70 ncclReduce: invalid usage: the stream is none of");
    assertThat(said.get(2))
        .startsWith("no stream: 70 ncclReduce: invalid usage: the stream is none");
    assertThat(said.get(3)).startsWith("integers: 70 ncclReduce: invalid usage: no sums of int32");
    assertThat(said.get(4)).startsWith("no such rank: 70 ncclReduce: invalid usage: no rank 1");
    assertThat(said.get(5)).isEqualTo("destroy: done");
    assertThat(said.get(6))
        .startsWith("destroyed: 70 ncclReduce: invalid argument: the communicator was destroyed");
    assertThat(said.get(7)).startsWith("twice: 70 ncclCommDestroy: ");
    assertThat(child.exit()).isZero();
    assertThat(floats("alone", DType.F32, 0)).containsExactly(NcclRank.values(0, 5));
  }

  @Test
  void aProcessThatDies() {
    start("death", 2, environment(2));
    assertThat(children.get(1).exit()).isEqualTo(9);
    assertThat(children.get(0).messages().getLast())
        .startsWith("ncclBroadcast: remote process exited or there was a network error: rank 1, ")
        .contains(" process " + children.get(1).pid() + ", has ended");
    assertThat(children.get(0).exit()).isEqualTo(69);
  }

  private Child version(Map<String, String> environment, String... options) {
    var child = new Child(environment, List.of(options), NcclRank.class, "version", "0", "1");
    children.add(child);
    return child;
  }

  @Test
  void whereTheLibraryIs() {
    for (Child child :
        List.of(
            version(Map.of(), "-Dseekr.cuda.emulator=" + EMULATOR),
            version(Map.of(), "-Dseekr.library.nccl=" + EMULATOR.resolve("libnccl.so.2")),
            version(Map.of("LD_LIBRARY_PATH", EMULATOR.toString())))) {
      assertThat(child.out()).isEqualTo("2.28.9");
      endWell(child);
    }
  }

  @Test
  void noLibrary() throws IOException {
    // No library, so that one of the system is not found either.
    Files.writeString(folder.resolve("libnccl.so.2"), "not a library at all");
    version(Map.of("LD_LIBRARY_PATH", folder.toString()));
    refused(
        69,
        "NCCL: libnccl.so.2 could not be loaded (",
        "libnccl.so.2: file too short)",
        "install NCCL 2 for this machine's CUDA",
        "LD_LIBRARY_PATH");
  }

  @Test
  void noFileOfThatName() {
    version(Map.of(), "-Dseekr.library.nccl=nowhere/libnccl.so.2");
    refused(69, "nowhere/libnccl.so.2: no such file; seekr.library.nccl names");
  }

  @Test
  void anOldLibrary() {
    version(Map.of("SEEKR_EMULATOR_NCCL", "2804"), "-Dseekr.cuda.emulator=" + EMULATOR);
    refused(69, "libnccl.so.2 is version 2.8.4; 2.13.4 or later is needed");
  }
}
