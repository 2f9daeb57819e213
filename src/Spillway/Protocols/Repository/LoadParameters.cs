using System.Text;
using Spillway.Config;
using Spillway.Config.Repository;
using Spillway.Engine;

namespace Spillway.Protocols.Repository;

/// <summary>
/// The parameters of a load request, whatever protocol they came by. What is not taken out is deleted.
/// </summary>
/// <param name="model">A name that can name a model.</param>
internal sealed class LoadParameters(string model) : IDisposable
{
    private UploadedModel? _files;

    /// <summary>The model.</summary>
    public string Model => model;

    /// <summary>The configuration; null for the folder's own.</summary>
    public string? Config { get; private set; }

    /// <summary>Takes the parameter "config".</summary>
    public Fault? TakeConfig(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > ConfigText.FileBytesMax)
        {
            return Wrong($"the parameter 'config' has {utf8.Length:N0} bytes; at most {ConfigText.FileBytesMax:N0} are "
                + "taken. Send the model's configuration only.");
        }

        Config = Encoding.UTF8.GetString(utf8);
        return null;
    }

    /// <summary>Takes a parameter "file:…".</summary>
    public Fault? TakeFile(string name, ReadOnlySpan<byte> content, bool isBase64)
    {
        if (!UploadPath.TryParse(name, out var path, out var problem))
            return Wrong(problem);
        _files ??= new(model);
        return isBase64 ? _files.AddBase64(path, content) : _files.Add(path, content);
    }

    /// <summary>A parameter of another name.</summary>
    public Fault Unknown(string name) => Wrong(
        $"the parameter '{ErrorList.Clean(name, 100)}' is unknown; there are config and file:<version>/<file>.");

    /// <summary>A parameter whose value is of the wrong kind.</summary>
    public Fault WrongKind(string name, string kind) =>
        Wrong($"the parameter '{ErrorList.Clean(name, 100)}' must be {kind}.");

    /// <summary>
    /// The files, which are the caller's from here on; null for none. A fault when they lack a config.
    /// </summary>
    public Outcome<UploadedModel?> TakeOut()
    {
        if (_files is not null && Config is null)
        {
            return Wrong("files were sent without the parameter 'config'. Send the model's configuration along; {} "
                + "takes every default.");
        }

        var files = _files;
        _files = null;
        return files;
    }

    public void Dispose() => _files?.Dispose();

    private Fault Wrong(string how) => Fault.Invalid($"failed to load '{model}', {how}");
}
