package dev.seekr.convert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/** Zips for tests. */
final class Zips {
  private Zips() {}

  static Map<String, byte[]> entries(Path file) throws IOException {
    var entries = new LinkedHashMap<String, byte[]>();
    try (var zip = new ZipFile(file.toFile())) {
      for (ZipEntry entry : zip.stream().toList())
        entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
    }
    return entries;
  }

  /** All entries stored, or all deflated. */
  static void write(Path file, int method, Map<String, byte[]> entries) throws IOException {
    try (var out = new ZipOutputStream(Files.newOutputStream(file))) {
      for (var e : entries.entrySet()) {
        var entry = new ZipEntry(e.getKey());
        var crc = new CRC32();
        crc.update(e.getValue());
        entry.setMethod(method);
        entry.setCrc(crc.getValue());
        entry.setSize(e.getValue().length);
        if (method == ZipEntry.STORED) entry.setCompressedSize(e.getValue().length);
        out.putNextEntry(entry);
        out.write(e.getValue());
        out.closeEntry();
      }
    }
  }
}
