using System.CommandLine;
using System.Security.Cryptography;
using Spillway.App.Hosting;
using Spillway.Runtimes;
using Spillway.Store.Provenance;

namespace Spillway.App.Cli;

/// <summary>`spillway sign`: sign a model, so that a server can tell it from any other.</summary>
internal static class SignCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model-file") { Description = "The model, as an .onnx file." };
        var key = new Option<string>("--key")
        {
            Description = "An ECDSA P-256 private key in PEM: openssl ecparam -name prime256v1 -genkey -noout -out "
                + "key.pem",
            Required = true, HelpName = "file",
        };
        var command = new Command("sign", """
            Sign a model and the files that hold its weights: writes <model-file>.dsse.json beside it, a DSSE envelope
            with an in-toto statement. A server that trusts the public key (signing.trusted) then knows it; with
            signing.required it loads no other.

            Examples:
              openssl ecparam -name prime256v1 -genkey -noout -out key.pem
              openssl ec -in key.pem -pubout -out key.pub.pem
              spillway sign models/digits/model.onnx --key key.pem
            """)
        {
            model, key,
        };
        command.SetAction((parsed, _) => CommandException.GuardAsync(
            () => Task.FromResult(Sign(parsed.GetValue(model)!, parsed.GetValue(key)!))));
        return command;
    }

    private static int Sign(string model, string keyFile)
    {
        var file = Path.GetFullPath(model);
        if (!File.Exists(file))
            throw new CommandException($"There is no file {file}.");
        using var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(keyFile));
            if (key.KeySize != 256)
                throw new CommandException($"{keyFile} is no key of the curve P-256.");
            var files = Composition.Runtimes["onnx"].Files(new ModelSource(Path.GetFileName(file), file, new()))
                ?? throw new CommandException($"{file} names more files than can be looked at; it cannot be signed "
                    + "whole.");
            var parts = ModelStatement.Hash(files);
            var envelope = DsseEnvelope.Sign(ModelStatement.PayloadType, ModelStatement.Write(parts), key);
            File.WriteAllBytes(file + ModelStatement.FileEnd, envelope);
            foreach (var part in parts)
                Console.WriteLine($"{part.Sha256}  {part.Name}");
            Console.WriteLine(TerminalText.Clean(
                $"Signed as {file + ModelStatement.FileEnd}; key {DsseEnvelope.KeyId(key)}."));
            return Commands.Ok;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"It cannot be signed: {e.Message}");
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            throw new CommandException($"{keyFile} holds no ECDSA private key of the curve P-256 in PEM.");
        }
    }
}
