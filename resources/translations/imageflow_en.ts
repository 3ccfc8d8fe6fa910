<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>Banner</name>
    <message>
        <source>Try again</source>
        <translation>Try again</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Close</translation>
    </message>
    <message>
        <source>Close the notice</source>
        <translation>Close the notice</translation>
    </message>
</context>
<context>
    <name>ConflictsActions</name>
    <message>
        <source>Take mine again</source>
        <translation>Take mine again</translation>
    </message>
    <message>
        <source>Keep theirs</source>
        <translation>Keep theirs</translation>
    </message>
    <message>
        <source>Show decided ones</source>
        <translation>Show decided ones</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Close</translation>
    </message>
</context>
<context>
    <name>ConflictsScreen</name>
    <message>
        <source>Edits that lost</source>
        <translation>Edits that lost</translation>
    </message>
    <message>
        <source>The newer change holds</source>
        <translation>The newer change holds</translation>
    </message>
    <message>
        <source>Mine</source>
        <translation>Mine</translation>
    </message>
    <message>
        <source>Theirs</source>
        <translation>Theirs</translation>
    </message>
    <message>
        <source>Holds now</source>
        <translation>Holds now</translation>
    </message>
    <message>
        <source>Hide decided ones</source>
        <translation>Hide decided ones</translation>
    </message>
    <message>
        <source>Show decided ones</source>
        <translation>Show decided ones</translation>
    </message>
    <message>
        <source>A quality engineer or an administrator decides about it.</source>
        <translation>A quality engineer or an administrator decides about it.</translation>
    </message>
    <message>
        <source>Nothing was lost to a newer change.</source>
        <translation>Nothing was lost to a newer change.</translation>
    </message>
    <message>
        <source>person not known</source>
        <translation>person not known</translation>
    </message>
    <message>
        <source>time not known</source>
        <translation>time not known</translation>
    </message>
</context>
<context>
    <name>DeadLettersActions</name>
    <message>
        <source>Send again</source>
        <translation>Send again</translation>
    </message>
    <message>
        <source>All of this cause</source>
        <translation>All of this cause</translation>
    </message>
    <message>
        <source>Change the value</source>
        <translation>Change the value</translation>
    </message>
    <message>
        <source>Give up…</source>
        <translation>Give up…</translation>
    </message>
    <message>
        <source>Write to a file</source>
        <translation>Write to a file</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Close</translation>
    </message>
</context>
<context>
    <name>DeadLettersScreen</name>
    <message>
        <source>Refused changes</source>
        <translation>Refused changes</translation>
    </message>
    <message>
        <source>Fields of the change</source>
        <translation>Fields of the change</translation>
    </message>
    <message>
        <source>Kept here until somebody decides</source>
        <translation>Kept here until somebody decides</translation>
    </message>
    <message>
        <source>Why is it given up?</source>
        <translation>Why is it given up?</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>Value</translation>
    </message>
    <message>
        <source>new</source>
        <translation>new</translation>
    </message>
    <message>
        <source>changed</source>
        <translation>changed</translation>
    </message>
    <message>
        <source>deleted</source>
        <translation>deleted</translation>
    </message>
    <message>
        <source>Nothing was refused.</source>
        <translation>Nothing was refused.</translation>
    </message>
    <message numerus="yes">
        <source>%n later change(s) of this record wait behind it.</source>
        <translation>
            <numerusform>%n later change of this record waits behind it.</numerusform>
            <numerusform>%n later changes of this record wait behind it.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Given up with it: %n more change(s) that the server could not take without it.</source>
        <translation>
            <numerusform>Given up with it: %n more change that the server could not take without it.</numerusform>
            <numerusform>Given up with it: %n more changes that the server could not take without it.</numerusform>
        </translation>
    </message>
    <message>
        <source>Written to {file}</source>
        <translation>Written to {file}</translation>
    </message>
    <message>
        <source>Only somebody who may change such records can send this one again.</source>
        <translation>Only somebody who may change such records can send this one again.</translation>
    </message>
</context>
<context>
    <name>DetailChoice</name>
    <message>
        <source>Fast</source>
        <translation>Fast</translation>
    </message>
    <message>
        <source>Standard</source>
        <translation>Standard</translation>
    </message>
    <message>
        <source>Fine</source>
        <translation>Fine</translation>
    </message>
    <message>
        <source>Finest</source>
        <translation>Finest</translation>
    </message>
    <message>
        <source>{time} ms</source>
        <translation>{time} ms</translation>
    </message>
    <message>
        <source>Finds defects from about {size} pixels; {time} ms and {memory} MB an image on this computer; training takes about {training}.</source>
        <translation>Finds defects from about {size} pixels; {time} ms and {memory} MB an image on this computer; training takes about {training}.</translation>
    </message>
</context>
<context>
    <name>Duration</name>
    <message>
        <source>%n s</source>
        <translation>%n s</translation>
    </message>
    <message>
        <source>%n min</source>
        <translation>%n min</translation>
    </message>
</context>
<context>
    <name>EnrolmentScreen</name>
    <message>
        <source>Address of the server</source>
        <translation>Address of the server</translation>
    </message>
    <message>
        <source>Enrolment code</source>
        <translation>Enrolment code</translation>
    </message>
    <message>
        <source>Name of this station</source>
        <translation>Name of this station</translation>
    </message>
    <message>
        <source>Device credential</source>
        <translation>Device credential</translation>
    </message>
    <message>
        <source>given by the administrator</source>
        <translation>given by the administrator</translation>
    </message>
    <message>
        <source>for example: line 2, station 1</source>
        <translation>for example: line 2, station 1</translation>
    </message>
    <message>
        <source>Go to sign-in without a server</source>
        <translation>Go to sign-in without a server</translation>
    </message>
    <message>
        <source>Set-up of this station</source>
        <translation>Set-up of this station</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Back</translation>
    </message>
    <message>
        <source>Later</source>
        <translation>Later</translation>
    </message>
    <message>
        <source>Set up anew…</source>
        <translation>Set up anew…</translation>
    </message>
    <message>
        <source>Only unsent</source>
        <translation>Only unsent</translation>
    </message>
    <message>
        <source>Write this credential down</source>
        <translation>Write this credential down</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep it. It is shown this once; the station asks for it at its next start.</source>
        <translation>This computer has no keyring that could keep it. It is shown this once; the station asks for it at its next start.</translation>
    </message>
    <message>
        <source>I have written it down</source>
        <translation>I have written it down</translation>
    </message>
    <message>
        <source>Give the device credential</source>
        <translation>Give the device credential</translation>
    </message>
    <message>
        <source>The keyring does not hold it. Inspecting works without it; synchronising waits until it is given.</source>
        <translation>The keyring does not hold it. Inspecting works without it; synchronising waits until it is given.</translation>
    </message>
    <message>
        <source>Where the server was made anew, or knows this station no longer, set it up anew: what is held here is shown before anything is sent.</source>
        <translation>Where the server was made anew, or knows this station no longer, set it up anew: what is held here is shown before anything is sent.</translation>
    </message>
    <message>
        <source>Use it</source>
        <translation>Use it</translation>
    </message>
    <message>
        <source>This station is set up</source>
        <translation>This station is set up</translation>
    </message>
    <message>
        <source>Set this station up anew</source>
        <translation>Set this station up anew</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Go on</translation>
    </message>
    <message>
        <source>What the former server had not acknowledged is sent in any case. Masters wait at the server until an administrator takes them.</source>
        <translation>What the former server had not acknowledged is sent in any case. Masters wait at the server until an administrator takes them.</translation>
    </message>
    <message>
        <source>Send all</source>
        <translation>Send all</translation>
    </message>
    <message>
        <source>To the server {address}</source>
        <translation>To the server {address}</translation>
    </message>
    <message>
        <source>Send everything held here?</source>
        <translation>Send everything held here?</translation>
    </message>
    <message>
        <source>Held here: parts {parts}, images {images}, files {files} ({megabytes} MB)</source>
        <translation>Held here: parts {parts}, images {images}, files {files} ({megabytes} MB)</translation>
    </message>
    <message>
        <source>Since {time}</source>
        <translation>Since {time}</translation>
    </message>
    <message>
        <source>Not sent yet: changes {changes}, files {files}</source>
        <translation>Not sent yet: changes {changes}, files {files}</translation>
    </message>
    <message>
        <source>It belongs to the server {address}</source>
        <translation>It belongs to the server {address}</translation>
    </message>
    <message>
        <source>Go to sign-in</source>
        <translation>Go to sign-in</translation>
    </message>
    <message>
        <source>Connect this station to its server</source>
        <translation>Connect this station to its server</translation>
    </message>
    <message>
        <source>An administrator gives you the address and a code that is good once.</source>
        <translation>An administrator gives you the address and a code that is good once.</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>Connecting…</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>Connect</translation>
    </message>
</context>
<context>
    <name>EvidencePanel</name>
    <message>
        <source>Part code</source>
        <translation>Part code</translation>
    </message>
    <message>
        <source>Part code: scan or type (P)</source>
        <translation>Part code: scan or type (P)</translation>
    </message>
    <message>
        <source>Heatmap</source>
        <translation>Heatmap</translation>
    </message>
    <message>
        <source>Opacity of the heatmap</source>
        <translation>Opacity of the heatmap</translation>
    </message>
    <message numerus="yes">
        <source>%n regions marked</source>
        <translation>
            <numerusform>%n region marked</numerusform>
            <numerusform>%n regions marked</numerusform>
        </translation>
    </message>
    <message>
        <source>Confidence {percent} %, inspected in {milliseconds} ms</source>
        <translation>Confidence {percent} %, inspected in {milliseconds} ms</translation>
    </message>
</context>
<context>
    <name>Field</name>
    <message>
        <source>Code</source>
        <translation>Code</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>English name</source>
        <translation>English name</translation>
    </message>
    <message>
        <source>Japanese name</source>
        <translation>Japanese name</translation>
    </message>
    <message>
        <source>Description</source>
        <translation>Description</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>Version</translation>
    </message>
    <message>
        <source>Criteria</source>
        <translation>Criteria</translation>
    </message>
    <message>
        <source>Position</source>
        <translation>Position</translation>
    </message>
    <message>
        <source>Required</source>
        <translation>Required</translation>
    </message>
    <message>
        <source>Severity</source>
        <translation>Severity</translation>
    </message>
    <message>
        <source>Pipeline</source>
        <translation>Pipeline</translation>
    </message>
    <message>
        <source>Parameters of the pipeline</source>
        <translation>Parameters of the pipeline</translation>
    </message>
    <message>
        <source>Definition</source>
        <translation>Definition</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Settings</translation>
    </message>
    <message>
        <source>Username</source>
        <translation>Username</translation>
    </message>
    <message>
        <source>Displayed name</source>
        <translation>Displayed name</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>Role</translation>
    </message>
    <message>
        <source>Active</source>
        <translation>Active</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Language</translation>
    </message>
    <message>
        <source>Lot</source>
        <translation>Lot</translation>
    </message>
    <message>
        <source>Serial number</source>
        <translation>Serial number</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>Status</translation>
    </message>
    <message>
        <source>Verdict</source>
        <translation>Verdict</translation>
    </message>
    <message>
        <source>Comment</source>
        <translation>Comment</translation>
    </message>
    <message>
        <source>Created</source>
        <translation>Created</translation>
    </message>
    <message>
        <source>Changed</source>
        <translation>Changed</translation>
    </message>
    <message>
        <source>Deleted</source>
        <translation>Deleted</translation>
    </message>
</context>
<context>
    <name>HomeActions</name>
    <message>
        <source>Start inspecting</source>
        <translation>Start inspecting</translation>
    </message>
    <message>
        <source>Train the model…</source>
        <translation>Train the model…</translation>
    </message>
    <message>
        <source>Cancel training</source>
        <translation>Cancel training</translation>
    </message>
    <message>
        <source>Choose folder…</source>
        <translation>Choose folder…</translation>
    </message>
</context>
<context>
    <name>HomeScreen</name>
    <message>
        <source>Measuring what each detail takes on this computer…</source>
        <translation>Measuring what each detail takes on this computer…</translation>
    </message>
    <message>
        <source>Choose how fine the model sees the images, then train.</source>
        <translation>Choose how fine the model sees the images, then train.</translation>
    </message>
    <message>
        <source>Target</source>
        <translation>Target</translation>
    </message>
    <message>
        <source>Inspection items</source>
        <translation>Inspection items</translation>
    </message>
    <message>
        <source>Images come from</source>
        <translation>Images come from</translation>
    </message>
    <message>
        <source>Model from good images</source>
        <translation>Model from good images</translation>
    </message>
    <message>
        <source>Image source</source>
        <translation>Image source</translation>
    </message>
    <message>
        <source>Folder of good images</source>
        <translation>Folder of good images</translation>
    </message>
    <message>
        <source>folder of good images</source>
        <translation>folder of good images</translation>
    </message>
    <message>
        <source>Progress of the training</source>
        <translation>Progress of the training</translation>
    </message>
    <message>
        <source>Home</source>
        <translation>Home</translation>
    </message>
    <message>
        <source>Choose what to inspect, then start</source>
        <translation>Choose what to inspect, then start</translation>
    </message>
    <message>
        <source>Choose folder</source>
        <translation>Choose folder</translation>
    </message>
    <message>
        <source>model ready</source>
        <translation>model ready</translation>
    </message>
    <message>
        <source>no model yet</source>
        <translation>no model yet</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>Reading…</translation>
    </message>
    <message>
        <source>Nothing to inspect yet. Targets come from the server with the next synchronisation.</source>
        <translation>Nothing to inspect yet. Targets come from the server with the next synchronisation.</translation>
    </message>
    <message>
        <source>Good images are enough: 30 to begin with, 60 or more for a steadier threshold.</source>
        <translation>Good images are enough: 30 to begin with, 60 or more for a steadier threshold.</translation>
    </message>
    <message numerus="yes">
        <source>Trained on %n images; threshold {threshold}.</source>
        <translation>
            <numerusform>Trained on %n image; threshold {threshold}.</numerusform>
            <numerusform>Trained on %n images; threshold {threshold}.</numerusform>
        </translation>
    </message>
    <message>
        <source>A quality engineer trains models.</source>
        <translation>A quality engineer trains models.</translation>
    </message>
    <message>
        <source>folder, video, watch:FOLDER, usb:0, rtsp://…, genicam:… or gige:…</source>
        <translation>folder, video, watch:FOLDER, usb:0, rtsp://…, genicam:… or gige:…</translation>
    </message>
    <message numerus="yes">
        <source>They show about %n different parts, the rest are near duplicates: the threshold is a rough estimate.</source>
        <translation>
            <numerusform>They show about %n part, the rest are near duplicates: the threshold is a rough estimate.</numerusform>
            <numerusform>They show about %n different parts, the rest are near duplicates: the threshold is a rough estimate.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>A false-alarm rate of {rate} % cannot be shown with fewer than %n images: a distribution is assumed.</source>
        <translation>
            <numerusform>A false-alarm rate of {rate} % cannot be shown with fewer than %n image: a distribution is assumed.</numerusform>
            <numerusform>A false-alarm rate of {rate} % cannot be shown with fewer than %n images: a distribution is assumed.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n good images score far above the others and lift the threshold: {names}.</source>
        <translation>
            <numerusform>%n good image scores far above the others and lifts the threshold: {names}.</numerusform>
            <numerusform>%n good images score far above the others and lift the threshold: {names}.</numerusform>
        </translation>
    </message>
    <message>
        <source>The images have two very different sizes or shapes: train one model for each kind of part.</source>
        <translation>The images have two very different sizes or shapes: train one model for each kind of part.</translation>
    </message>
    <message numerus="yes">
        <source>%n images could not be used.</source>
        <translation>
            <numerusform>%n image could not be used.</numerusform>
            <numerusform>%n images could not be used.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n images were copies of others and were left out.</source>
        <translation>
            <numerusform>%n image was a copy of another and was left out.</numerusform>
            <numerusform>%n images were copies of others and were left out.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n images have transparent parts, seen on white.</source>
        <translation>
            <numerusform>%n image has transparent parts, seen on white.</numerusform>
            <numerusform>%n images have transparent parts, seen on white.</numerusform>
        </translation>
    </message>
    <message>
        <source>Images deeper than 8 bits are read with the values {range} as black to white.</source>
        <translation>Images deeper than 8 bits are read with the values {range} as black to white.</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Stopping…</translation>
    </message>
    <message>
        <source>Training… {percent} %</source>
        <translation>Training… {percent} %</translation>
    </message>
    <message>
        <source>Training… {percent} %, {time} left</source>
        <translation>Training… {percent} %, {time} left</translation>
    </message>
    <message>
        <source>This target has no inspection item.</source>
        <translation>This target has no inspection item.</translation>
    </message>
    <message>
        <source>A model is missing: train it from good images, or synchronise to receive it.</source>
        <translation>A model is missing: train it from good images, or synchronise to receive it.</translation>
    </message>
    <message>
        <source>Choose where images come from.</source>
        <translation>Choose where images come from.</translation>
    </message>
</context>
<context>
    <name>ImageStage</name>
    <message>
        <source>anomaly</source>
        <translation>anomaly</translation>
    </message>
</context>
<context>
    <name>Key</name>
    <message>
        <source>Space</source>
        <translation>Space</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
</context>
<context>
    <name>NavigationActions</name>
    <message>
        <source>Close</source>
        <translation>Close</translation>
    </message>
</context>
<context>
    <name>NavigationScreen</name>
    <message>
        <source>Screens</source>
        <translation>Screens</translation>
    </message>
    <message>
        <source>Press a digit, or choose with the arrows and Enter</source>
        <translation>Press a digit, or choose with the arrows and Enter</translation>
    </message>
</context>
<context>
    <name>OpenPartsActions</name>
    <message>
        <source>Go on with this part</source>
        <translation>Go on with this part</translation>
    </message>
    <message>
        <source>Discard this part</source>
        <translation>Discard this part</translation>
    </message>
    <message>
        <source>Later</source>
        <translation>Later</translation>
    </message>
</context>
<context>
    <name>OpenPartsScreen</name>
    <message>
        <source>Parts without a decision</source>
        <translation>Parts without a decision</translation>
    </message>
    <message>
        <source>Left open when the station ended</source>
        <translation>Left open when the station ended</translation>
    </message>
    <message>
        <source>The AI result of these parts is stored, a decision is missing. Go on with a part where it was left, or discard it when it is not at hand any more.</source>
        <translation>The AI result of these parts is stored, a decision is missing. Go on with a part where it was left, or discard it when it is not at hand any more.</translation>
    </message>
    <message>
        <source>Somebody else began this part: only that person or a supervisor can discard it.</source>
        <translation>Somebody else began this part: only that person or a supervisor can discard it.</translation>
    </message>
    <message>
        <source>no code</source>
        <translation>no code</translation>
    </message>
</context>
<context>
    <name>PartsStrip</name>
    <message>
        <source>Last parts: {ok} OK, {ng} NG, {hold} HOLD</source>
        <translation>Last parts: {ok} OK, {ng} NG, {hold} HOLD</translation>
    </message>
</context>
<context>
    <name>ReasonPanel</name>
    <message>
        <source>Comment  (C)</source>
        <translation>Comment  (C)</translation>
    </message>
    <message>
        <source>Comment</source>
        <translation>Comment</translation>
    </message>
    <message>
        <source>only if it helps</source>
        <translation>only if it helps</translation>
    </message>
    <message>
        <source>Which defect?</source>
        <translation>Which defect?</translation>
    </message>
    <message>
        <source>What is wrong with it?</source>
        <translation>What is wrong with it?</translation>
    </message>
    <message>
        <source>More ({page}/{pages})</source>
        <translation>More ({page}/{pages})</translation>
    </message>
    <message>
        <source>Why is it OK?</source>
        <translation>Why is it OK?</translation>
    </message>
</context>
<context>
    <name>Record</name>
    <message>
        <source>Target</source>
        <translation>Target</translation>
    </message>
    <message>
        <source>Inspection item</source>
        <translation>Inspection item</translation>
    </message>
    <message>
        <source>Pipeline</source>
        <translation>Pipeline</translation>
    </message>
    <message>
        <source>Kind of defect</source>
        <translation>Kind of defect</translation>
    </message>
    <message>
        <source>Model file</source>
        <translation>Model file</translation>
    </message>
    <message>
        <source>Release of a model</source>
        <translation>Release of a model</translation>
    </message>
    <message>
        <source>Stop of the line</source>
        <translation>Stop of the line</translation>
    </message>
    <message>
        <source>Settings of stations</source>
        <translation>Settings of stations</translation>
    </message>
    <message>
        <source>User</source>
        <translation>User</translation>
    </message>
    <message>
        <source>Inspection of a part</source>
        <translation>Inspection of a part</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Image</translation>
    </message>
    <message>
        <source>AI result</source>
        <translation>AI result</translation>
    </message>
    <message>
        <source>Human verification</source>
        <translation>Human verification</translation>
    </message>
    <message>
        <source>Entry of the audit trail</source>
        <translation>Entry of the audit trail</translation>
    </message>
</context>
<context>
    <name>ScoreGauge</name>
    <message>
        <source>Anomaly score</source>
        <translation>Anomaly score</translation>
    </message>
    <message>
        <source>Threshold {value}</source>
        <translation>Threshold {value}</translation>
    </message>
    <message>
        <source>Anomaly score {score}, threshold {threshold}</source>
        <translation>Anomaly score {score}, threshold {threshold}</translation>
    </message>
</context>
<context>
    <name>ScoreHistogram</name>
    <message>
        <source>Scores of good parts the model was not fitted on</source>
        <translation>Scores of good parts the model was not fitted on</translation>
    </message>
    <message>
        <source>Threshold {value}</source>
        <translation>Threshold {value}</translation>
    </message>
    <message>
        <source>Anomaly score</source>
        <translation>Anomaly score</translation>
    </message>
    <message>
        <source>Scores of {count} good parts, {over} of them over the threshold {value}</source>
        <translation>Scores of {count} good parts, {over} of them over the threshold {value}</translation>
    </message>
</context>
<context>
    <name>ShellActions</name>
    <message>
        <source>Screens</source>
        <translation>Screens</translation>
    </message>
    <message>
        <source>日本語</source>
        <comment>the other language, in its own script</comment>
        <translation>日本語</translation>
    </message>
    <message>
        <source>Light / dark</source>
        <translation>Light / dark</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>Sign out</translation>
    </message>
</context>
<context>
    <name>SignInActions</name>
    <message>
        <source>Sign in</source>
        <translation>Sign in</translation>
    </message>
</context>
<context>
    <name>SignInScreen</name>
    <message>
        <source>Sign in</source>
        <translation>Sign in</translation>
    </message>
    <message>
        <source>User name</source>
        <translation>User name</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>Password</translation>
    </message>
    <message>
        <source>Works without the network too, for everybody who has signed in here before.</source>
        <translation>Works without the network too, for everybody who has signed in here before.</translation>
    </message>
    <message>
        <source>This computer is not set up as a station yet. Press F1 and choose the set-up to connect it to its server.</source>
        <translation>This computer is not set up as a station yet. Press F1 and choose the set-up to connect it to its server.</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>Signing in…</translation>
    </message>
</context>
<context>
    <name>StartWindow</name>
    <message>
        <source>Opening the store…</source>
        <translation>Opening the store…</translation>
    </message>
    <message>
        <source>Try again  (Enter)</source>
        <translation>Try again  (Enter)</translation>
    </message>
    <message>
        <source>Quit  (Esc)</source>
        <translation>Quit  (Esc)</translation>
    </message>
</context>
<context>
    <name>StationWindow</name>
    <message>
        <source>{name} (signed in offline)</source>
        <translation>{name} (signed in offline)</translation>
    </message>
</context>
<context>
    <name>SyncActions</name>
    <message>
        <source>Synchronise now</source>
        <translation>Synchronise now</translation>
    </message>
    <message>
        <source>Stop exchanging</source>
        <translation>Stop exchanging</translation>
    </message>
    <message>
        <source>Refused changes…</source>
        <translation>Refused changes…</translation>
    </message>
    <message>
        <source>Conflicts…</source>
        <translation>Conflicts…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Close</translation>
    </message>
</context>
<context>
    <name>SyncChip</name>
    <message>
        <source>Synchronisation</source>
        <translation>Synchronisation</translation>
    </message>
    <message>
        <source>asking…</source>
        <translation>asking…</translation>
    </message>
    <message>
        <source>No server yet</source>
        <translation>No server yet</translation>
    </message>
    <message>
        <source>Work is kept here</source>
        <translation>Work is kept here</translation>
    </message>
    <message>
        <source>Credential needed</source>
        <translation>Credential needed</translation>
    </message>
    <message>
        <source>Online</source>
        <translation>Online</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>Offline</translation>
    </message>
    <message numerus="yes">
        <source>%n waiting</source>
        <translation>
            <numerusform>%n waiting</numerusform>
            <numerusform>%n waiting</numerusform>
        </translation>
    </message>
    <message>
        <source>all sent</source>
        <translation>all sent</translation>
    </message>
    <message numerus="yes">
        <source>%n failed – see {key}</source>
        <translation>
            <numerusform>%n failed – see {key}</numerusform>
            <numerusform>%n failed – see {key}</numerusform>
        </translation>
    </message>
    <message>
        <source>Last sync {time}</source>
        <translation>Last sync {time}</translation>
    </message>
    <message>
        <source>Not synchronised yet</source>
        <translation>Not synchronised yet</translation>
    </message>
    <message>
        <source>Synchronisation: {state}</source>
        <translation>Synchronisation: {state}</translation>
    </message>
</context>
<context>
    <name>SyncProgress</name>
    <message>
        <source>{time} left</source>
        <translation>{time} left</translation>
    </message>
    <message>
        <source>Sending records</source>
        <translation>Sending records</translation>
    </message>
    <message>
        <source>Receiving records</source>
        <translation>Receiving records</translation>
    </message>
    <message>
        <source>Sending images</source>
        <translation>Sending images</translation>
    </message>
    <message>
        <source>Receiving models</source>
        <translation>Receiving models</translation>
    </message>
    <message>
        <source>Receiving everything</source>
        <translation>Receiving everything</translation>
    </message>
    <message>
        <source>Comparing with the server</source>
        <translation>Comparing with the server</translation>
    </message>
</context>
<context>
    <name>SyncScreen</name>
    <message>
        <source>Server</source>
        <translation>Server</translation>
    </message>
    <message>
        <source>Records that wait</source>
        <translation>Records that wait</translation>
    </message>
    <message>
        <source>Images and models that wait</source>
        <translation>Images and models that wait</translation>
    </message>
    <message>
        <source>Last success</source>
        <translation>Last success</translation>
    </message>
    <message>
        <source>Refused by the server</source>
        <translation>Refused by the server</translation>
    </message>
    <message>
        <source>Conflicts resolved</source>
        <translation>Conflicts resolved</translation>
    </message>
    <message>
        <source>Last trouble</source>
        <translation>Last trouble</translation>
    </message>
    <message>
        <source>Synchronisation</source>
        <translation>Synchronisation</translation>
    </message>
    <message>
        <source>Work goes on without it; nothing that waits is lost</source>
        <translation>Work goes on without it; nothing that waits is lost</translation>
    </message>
    <message>
        <source>Not connected to a server yet</source>
        <translation>Not connected to a server yet</translation>
    </message>
    <message>
        <source>Online, exchanging now</source>
        <translation>Online, exchanging now</translation>
    </message>
    <message>
        <source>Trying to reach it…</source>
        <translation>Trying to reach it…</translation>
    </message>
    <message>
        <source>It asks for this station&apos;s credential</source>
        <translation>It asks for this station&apos;s credential</translation>
    </message>
    <message>
        <source>Online</source>
        <translation>Online</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>Offline</translation>
    </message>
    <message>
        <source>Images wait on purpose: the link is paid by volume</source>
        <translation>Images wait on purpose: the link is paid by volume</translation>
    </message>
    <message>
        <source>Everything waits on purpose: the link is paid by volume</source>
        <translation>Everything waits on purpose: the link is paid by volume</translation>
    </message>
    <message>
        <source>Images wait: the link is paid by volume</source>
        <translation>Images wait: the link is paid by volume</translation>
    </message>
    <message>
        <source>None</source>
        <translation>None</translation>
    </message>
    <message>
        <source>Since {time}</source>
        <translation>Since {time}</translation>
    </message>
</context>
<context>
    <name>WorkActions</name>
    <message>
        <source>Home</source>
        <translation>Home</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Back</translation>
    </message>
    <message>
        <source>Capture</source>
        <translation>Capture</translation>
    </message>
    <message>
        <source>Hold</source>
        <translation>Hold</translation>
    </message>
    <message>
        <source>Next part</source>
        <translation>Next part</translation>
    </message>
    <message>
        <source>Comment</source>
        <translation>Comment</translation>
    </message>
    <message>
        <source>Type code</source>
        <translation>Type code</translation>
    </message>
    <message>
        <source>Agree</source>
        <translation>Agree</translation>
    </message>
    <message>
        <source>Overrule</source>
        <translation>Overrule</translation>
    </message>
    <message>
        <source>Save {verdict}</source>
        <translation>Save {verdict}</translation>
    </message>
    <message>
        <source>Agree: {verdict}</source>
        <translation>Agree: {verdict}</translation>
    </message>
    <message>
        <source>Overrule: {verdict}</source>
        <translation>Overrule: {verdict}</translation>
    </message>
</context>
<context>
    <name>WorkScreen</name>
    <message>
        <source>Image of the part</source>
        <translation>Image of the part</translation>
    </message>
    <message>
        <source>Inspection</source>
        <translation>Inspection</translation>
    </message>
    <message>
        <source>{number} of {total}</source>
        <translation>{number} of {total}</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>Live</translation>
    </message>
    <message>
        <source>The source has no more images</source>
        <translation>The source has no more images</translation>
    </message>
    <message>
        <source>Waiting for an image…</source>
        <translation>Waiting for an image…</translation>
    </message>
    <message>
        <source>no code</source>
        <translation>no code</translation>
    </message>
    <message>
        <source>Capture the next item</source>
        <translation>Capture the next item</translation>
    </message>
    <message>
        <source>Capture the part</source>
        <translation>Capture the part</translation>
    </message>
    <message>
        <source>Scan the part&apos;s code</source>
        <translation>Scan the part&apos;s code</translation>
    </message>
    <message>
        <source>Inspecting…</source>
        <translation>Inspecting…</translation>
    </message>
    <message>
        <source>AI result – please decide</source>
        <translation>AI result – please decide</translation>
    </message>
    <message>
        <source>Why? Press C to comment, or Enter</source>
        <translation>Why? Press C to comment, or Enter</translation>
    </message>
    <message>
        <source>Why? Press 1 or Enter</source>
        <translation>Why? Press 1 or Enter</translation>
    </message>
    <message>
        <source>Why? Press 1–{last} or Enter</source>
        <translation>Why? Press 1–{last} or Enter</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>Saving…</translation>
    </message>
    <message>
        <source>Stored: overruled</source>
        <translation>Stored: overruled</translation>
    </message>
    <message>
        <source>Stored: agreed</source>
        <translation>Stored: agreed</translation>
    </message>
    <message>
        <source>Stored: on hold</source>
        <translation>Stored: on hold</translation>
    </message>
</context>
</TS>
