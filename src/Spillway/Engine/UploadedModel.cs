using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using Spillway.Config;
using Spillway.Config.Repository;

namespace Spillway.Engine;

/// <summary>
/// The files that a load request brings along, as a repository of one model in a temporary folder that only this user
/// may enter. Whoever makes it hands it to <see cref="ModelRepository.LoadAsync"/>, which keeps or deletes it. One
/// thread at a time.
/// </summary>
public sealed class UploadedModel : IDisposable
{
    /// <summary>Most files of one upload: a model with external data has one to a few hundred.</summary>
    public const int FilesMax = 1000;

    private const int PieceBytes = 48 * 1024;

    private readonly string _model;
    private string? _root;
    private int _files;

    /// <summary>No folder is made before the first file.</summary>
    /// <param name="model">A name that can name a model; others throw.</param>
    public UploadedModel(string model)
    {
        if (!ModelChecks.IsName(model))
            throw new ArgumentException("It cannot name a model.", nameof(model));
        _model = model;
    }

    /// <summary>Bytes of its files.</summary>
    public long Bytes { get; private set; }

    /// <summary>The folder; null before the first file and after the end.</summary>
    internal string? Root => _root;

    /// <summary>Takes a file as base64, piece by piece; <c>\/</c> of JSON is a slash.</summary>
    /// <param name="path">Its place.</param>
    /// <param name="base64">With or without line breaks.</param>
    /// <returns>Null, or why it is refused; the whole upload is then to be disposed.</returns>
    public Fault? AddBase64(UploadPath path, ReadOnlySpan<byte> base64) =>
        Add(path, base64, static (file, text) => Decode(file, text));

    /// <summary>Takes a file as it is.</summary>
    /// <param name="path">Its place.</param>
    /// <param name="content">The whole of it.</param>
    /// <returns>Null, or why it is refused; the whole upload is then to be disposed.</returns>
    public Fault? Add(UploadPath path, ReadOnlySpan<byte> content) => Add(path, content, static (file, bytes) =>
    {
        file.Write(bytes);
        return true;
    });

    /// <summary>Deletes the folder. What is loaded from it stays in memory.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _root, null) is not { } root)
            return;
        try
        {
            Directory.Delete(root, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody else removed it, or holds it: it is a temporary folder, which the system clears.
        }
    }

    private delegate bool Fill(FileStream file, ReadOnlySpan<byte> content);

    private Fault? Add(UploadPath path, ReadOnlySpan<byte> content, Fill fill)
    {
        var name = $"{UploadPath.Prefix}{path.Version}/{path.File}";
        if (++_files > FilesMax)
            return Fault.Invalid($"failed to load '{_model}', it brings more than {FilesMax} files along.");
        try
        {
            // Mode 0700.
            _root ??= Directory.CreateTempSubdirectory("spillway-upload-").FullName;
            var version = path.Version.ToString(CultureInfo.InvariantCulture);
            var full = Path.Combine(_root, _model, version, path.File);
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            using var file = new FileStream(full, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            if (!fill(file, content))
                return Fault.Invalid($"failed to load '{_model}', the parameter {ErrorList.Clean(name)} is no base64.");
            Bytes += file.Length;
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var why = _root is null ? e.Message : e.Message.Replace(_root, "", StringComparison.Ordinal);
            return Fault.Invalid(
                $"failed to load '{_model}', the parameter {ErrorList.Clean(name)} cannot be kept: "
                + $"{ErrorList.Clean(why, 200)} Send each file once, and check the room in the temporary folder.");
        }
    }

    private static bool Decode(FileStream file, ReadOnlySpan<byte> text)
    {
        var (piece, bytes) = (ArrayPool<byte>.Shared.Rent(PieceBytes), ArrayPool<byte>.Shared.Rent(PieceBytes));
        try
        {
            var held = 0;
            while (true)
            {
                if (!Unescape(ref text, piece.AsSpan(0, PieceBytes), ref held))
                    return false;
                var last = text.IsEmpty;
                var status = Base64.DecodeFromUtf8(piece.AsSpan(0, held), bytes, out var used, out var made, last);
                if (status is OperationStatus.InvalidData || (last && status is not OperationStatus.Done))
                    return false;
                // What is left must make room for more, or this would never end.
                if (used == 0 && !last && held == PieceBytes)
                    return false;
                file.Write(bytes, 0, made);
                piece.AsSpan(used, held - used).CopyTo(piece);
                held -= used;
                if (last)
                    return true;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Fills the piece behind what it holds; false for an escape that base64 has no use for.</summary>
    private static bool Unescape(ref ReadOnlySpan<byte> text, Span<byte> piece, ref int held)
    {
        while (held < piece.Length && !text.IsEmpty)
        {
            var plain = text.IndexOf((byte)'\\');
            var take = Math.Min(piece.Length - held, plain < 0 ? text.Length : plain);
            text[..take].CopyTo(piece[held..]);
            held += take;
            text = text[take..];
            if (plain < 0 || take < plain || held == piece.Length)
                continue;
            if (text.Length < 2 || text[1] is not ((byte)'/' or (byte)'n' or (byte)'r'))
                return false;
            if (text[1] == (byte)'/')
                piece[held++] = (byte)'/';
            text = text[2..];
        }

        return true;
    }
}
